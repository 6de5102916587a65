import type { CID } from 'multiformats/cid'
import { buildDirectory, newDirectory, openDirectory, putNode } from './directories.ts'
import type { Directory } from './directories.ts'
import { noEntryMetadata } from './entries.ts'
import type { AddEntry, EntryMetadata } from './entries.ts'
import type { TellBuilt } from './output.ts'
import type { AddOptions, ImporterLayout } from './params.ts'
import { importFile, importSymlink, noMetadata } from './unixfs.ts'
import type { TakeBlock, UnixfsNode } from './unixfs.ts'

/** Kubo tells of every so many bytes read. */
const progressBytes = 262_144

export interface BuildContext {
  readonly options: AddOptions
  readonly layout: ImporterLayout
  readonly take: TakeBlock
  readonly tell: TellBuilt
}

/**
 * Builds the DAGs of all entries and tells what Kubo would tell, in its order: files as they are done, then, when a top-level entry
 * ends, its directories from below. With `wrap-with-directory` all is one entry without a name.
 */
export async function buildEntries (entries: AsyncIterable<AddEntry>, context: BuildContext): Promise<void> {
  const isWrapped = context.options['wrap-with-directory'] === true
  let open: OpenTop | undefined = isWrapped ? openTop('', noEntryMetadata, context) : undefined
  for await (const entry of entries) {
    if (entry.isTop && !isWrapped) {
      await closeTop(open, context)
      open = undefined
    }
    if (entry.isTop && !isWrapped && entry.kind === 'directory') open = openTop(entry.path, entry.metadata, context)
    else if (entry.kind === 'directory') addDirectory(open!, entry, context)
    else await addLeaf(open, entry, context)
  }
  await closeTop(open, context)
}

/** A directory at the top that is being filled. */
interface OpenTop {
  readonly name: string
  readonly metadata: EntryMetadata
  readonly directory: Directory
}

function openTop (name: string, metadata: EntryMetadata, { layout }: BuildContext): OpenTop {
  return { name, metadata, directory: newDirectory(layout.metadataFor(metadata)) }
}

function addDirectory (open: OpenTop, entry: AddEntry, { layout }: BuildContext): void {
  const path = pathBelow(open, entry.path)
  if (path !== '') openDirectory(open.directory, path, layout.metadataFor(entry.metadata), noMetadata)
}

async function addLeaf (open: OpenTop | undefined, entry: AddEntry, context: BuildContext): Promise<void> {
  const { options, layout, tell } = context
  const metadata = open?.metadata ?? entry.metadata
  const stored = layout.metadataFor(entry.metadata)
  const node = entry.kind === 'symlink'
    ? await importSymlink(Buffer.concat(await Array.fromAsync(entry.content)), layout.file.cidVersion, stored, context.take)
    : await importFile(options.progress === true ? ticking(entry, metadata, tell) : entry.content, layout.file, stored, context.take)
  const name = entry.path === '' ? node.cid.toString() : entry.path
  if (open !== undefined) putBelow(open, pathBelow(open, name), node)
  const isRoot = open === undefined
  const isTold = options.silent !== true
  if (isRoot || isTold) await tell({ ...isTold && { output: added(name, node, metadata) }, ...isRoot && { root: node.cid } })
}

function putBelow (open: OpenTop, path: string, node: UnixfsNode): void {
  const slash = path.lastIndexOf('/')
  const directory = slash < 0 ? open.directory : openDirectory(open.directory, path.slice(0, slash), noMetadata, noMetadata)
  putNode(directory, path.slice(slash + 1), node)
}

async function closeTop (open: OpenTop | undefined, { layout, take, tell }: BuildContext): Promise<void> {
  if (open === undefined) return
  const { name, metadata, directory } = open
  const told: { readonly path: string, readonly node: UnixfsNode }[] = []
  const root = await buildDirectory(directory, name, layout.directory, take, async (path, node) => { told.push({ path, node }) })
  told.pop()
  for (const { path, node } of told) await tell({ output: added(path, node, metadata) })
  await tell({ output: added(name, root, metadata), root: root.cid })
}

function added (name: string, { cid, size }: { readonly cid: CID, readonly size: bigint }, metadata: EntryMetadata): { readonly kind: 'added', readonly name: string, readonly cid: CID, readonly size: bigint, readonly metadata: EntryMetadata } {
  return { kind: 'added', name, cid, size, metadata }
}

const pathBelow = ({ name }: OpenTop, path: string): string => name === '' ? path : path.slice(name.length + 1)

/** Passes a file's bytes on, telling how many have been read: at every so many, and at the end. */
async function * ticking (entry: AddEntry, metadata: EntryMetadata, tell: TellBuilt): AsyncGenerator<Uint8Array, void, undefined> {
  const tick = (bytes: number): void | Promise<void> => tell({ output: { kind: 'progress', name: entry.path, bytes, metadata } })
  let read = 0
  for await (const piece of entry.content) {
    for (let at = 0; at < piece.byteLength;) {
      const length = Math.min(piece.byteLength - at, progressBytes - read % progressBytes)
      yield piece.subarray(at, at + length)
      at += length
      read += length
      if (read % progressBytes === 0) await tick(read)
    }
  }
  await tick(read)
}
