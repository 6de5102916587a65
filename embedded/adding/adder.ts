/** An upload on its way into blocks: files as they come, directories when they are complete, every top-level entry a root of its own. */
import { MultipartError } from '../../cluster/api/kubo/multipart.ts'
import type { Chunker } from '../unixfs/chunker.ts'
import { addEntry, createDirectory, writeDirectories } from '../unixfs/directory.ts'
import type { Directory } from '../unixfs/directory.ts'
import { balancedFile, trickleFile } from '../unixfs/file-layout.ts'
import { unixPermissions } from '../unixfs/go-mode.ts'
import type { Metadata, NodeWriter, Written } from '../unixfs/node-writer.ts'
import type { UploadedEntry } from './entries.ts'
import type { AddSettings } from './settings.ts'

const progressBytes = 256 * 1024

/** Names are paths within the upload. */
export type AddEvent =
  | { readonly kind: 'progress', readonly name: string, readonly bytes: number, readonly top: UploadedEntry }
  | { readonly kind: 'file' | 'directory', readonly name: string, readonly node: Written, readonly top: UploadedEntry }
  /** Everything below it has been written and told of: now it can be pinned. */
  | { readonly kind: 'root', readonly name: string, readonly node: Written }

export interface AddWay { readonly isWrapped: boolean, readonly tellsProgress: boolean }

/** @param settings is asked for when the first entry is there, which is when Kubo finds out what is wrong with them */
export async function * addEntries (entries: AsyncIterable<UploadedEntry>, settings: () => AddSettings, createWriter: (settings: AddSettings) => NodeWriter, { isWrapped, tellsProgress }: AddWay): AsyncGenerator<AddEvent, void, undefined> {
  let started: { settings: AddSettings, writer: NodeWriter } | undefined
  let top: { entry: UploadedEntry, name: string, folder: Directory } | undefined
  let wrapTop: UploadedEntry | undefined
  const wrap = createDirectory()

  for await (const entry of entries) {
    if (entry.kind === 'directory' && entry.path.length === 0) continue // the upload itself
    if (started === undefined) {
      const now = settings()
      started = { settings: now, writer: createWriter(now) }
    }
    const { settings: chosen, writer } = started
    wrapTop ??= entry
    const [first = ''] = entry.path
    const isNested = entry.path.length > 1
    if (!isWrapped && top !== undefined && !(isNested && top.name === first)) {
      yield * closeTop(top.folder, top.name, top.entry, writer, chosen)
      top = undefined
    }

    const metadata = metadataOf(entry, chosen)
    if (!isWrapped && (isNested || entry.kind === 'directory')) top ??= { entry, name: first, folder: createDirectory(isNested ? {} : metadata) }
    const root = isWrapped ? wrap : top?.folder
    const at = isWrapped ? entry.path : entry.path.slice(1)
    const from = isWrapped ? wrapTop : top?.entry ?? entry
    if (entry.kind === 'directory') {
      if (at.length > 0) addEntry(root!, at, createDirectory(metadata))
      continue
    }
    const node = yield * addFile(entry, from, metadata, writer, chosen, tellsProgress)
    const name = entry.path.length === 0 ? node.cid.toString() : entry.path.join('/')
    if (root !== undefined) addEntry(root, at.length === 0 ? [name] : at, node)
    yield { kind: 'file', name, node, top: from }
    if (root === undefined) yield { kind: 'root', name: entry.path.join('/'), node }
  }

  if (started === undefined) return
  if (top !== undefined) yield * closeTop(top.folder, top.name, top.entry, started.writer, started.settings)
  if (isWrapped) yield * closeTop(wrap, '', wrapTop!, started.writer, started.settings)
}

async function * closeTop (folder: Directory, name: string, top: UploadedEntry, writer: NodeWriter, { directories }: AddSettings): AsyncGenerator<AddEvent> {
  let root: Written | undefined
  for await (const { path, node } of writeDirectories(folder, name === '' ? [] : [name], writer, directories)) {
    root = node
    yield { kind: 'directory', name: path.join('/'), node, top }
  }
  yield { kind: 'root', name, node: root! }
}

function metadataOf ({ mode, mtime }: UploadedEntry, settings: AddSettings): Metadata {
  const keptMode = settings.preserveMode ? unixPermissions(mode) || undefined : settings.mode
  const keptMtime = settings.preserveMtime ? mtime : settings.mtime
  return { ...keptMode === undefined ? {} : { mode: keptMode }, ...keptMtime === undefined ? {} : { mtime: keptMtime } }
}

async function * addFile (entry: UploadedEntry, top: UploadedEntry, metadata: Metadata, writer: NodeWriter, settings: AddSettings, tellsProgress: boolean): AsyncGenerator<AddEvent, Written> {
  if (entry.kind === 'symlink') {
    const target = Buffer.concat(await Array.fromAsync(withoutCut(entry.body)))
    return await writer.node({ type: 'symlink', data: target, ...metadata.mtime === undefined ? {} : { mtime: metadata.mtime } }, [])
  }
  const builder = settings.layout === 'trickle' ? trickleFile(writer, settings.fileLinksMax) : balancedFile(writer, settings.fileLinksMax)
  const name = entry.path.join('/')
  const ticks: AddEvent[] = []
  const tick = (bytes: number): void => { if (tellsProgress) ticks.push({ kind: 'progress', name, bytes, top }) }
  const chunker = await chunkerFor(entry, settings)
  for await (const chunk of chunker(counted(withoutCut(entry.body), tick))) {
    yield * ticks.splice(0)
    await builder.add(chunk)
  }
  yield * ticks.splice(0)
  return await builder.finish(metadata)
}

/** Kubo closes the file when it cannot cut it, and closing reads it to its end. */
async function chunkerFor ({ body }: UploadedEntry, settings: AddSettings): Promise<Chunker> {
  try {
    return settings.chunker()
  } catch (err) {
    for await (const _ of withoutCut(body)) { /* to the end */ }
    throw err
  }
}

/** A file that is cut short ends there, as far as boxo's chunkers can tell; that it was cut shows when the next part is asked for. */
async function * withoutCut (body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield * body
  } catch (err) {
    if (!(err instanceof MultipartError) || !err.cut) throw err
  }
}

async function * counted (body: AsyncIterable<Uint8Array>, tick: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0
  let told = 0
  for await (const piece of body) {
    bytes += piece.length
    if (bytes - told >= progressBytes) {
      told = bytes
      tick(bytes)
    }
    yield piece
  }
  tick(bytes)
}

