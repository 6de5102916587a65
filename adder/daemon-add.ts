import { randomUUID } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import { toGoBytes } from '../cluster/api/kubo/go-text.ts'
import type { AbortOptions, AddingDaemon, DaemonAddLine } from '../cluster/ports.ts'
import { noEntryMetadata } from './entries.ts'
import type { AddEntry, EntryMetadata } from './entries.ts'
import type { AddedOutput, TellBuilt } from './output.ts'
import type { AddOptions } from './params.ts'
import { OptionsRefusedError } from './upload-error.ts'

/** What would make the daemon pin, announce what is not pinned yet, keep from us what it did, or write another CID than it made. */
const withheld: ReadonlySet<string> = new Set(['encoding', 'cid-base', 'upgrade-cidv0-in-output', 'pin', 'pin-name', 'silent', 'only-hash'])

/**
 * Has the daemon add the entries as it was asked to, but for the pin: the caller holds its pin lock meanwhile and pins the roots when
 * that is agreed. Its lines become what the importer would have told.
 *
 * @throws what the daemon said, or what was wrong with the upload
 */
export async function addOnDaemon (daemon: AddingDaemon, entries: AsyncIterable<AddEntry>, options: AddOptions, tell: TellBuilt, { signal }: AbortOptions): Promise<void> {
  const isWrapped = options['wrap-with-directory'] === true
  const upload: Upload = { isWrapped, isSilent: options.silent === true, tops: [], directories: new Set(), oddNames: new Map() }
  const boundary = `ipfs-quorum-${randomUUID()}`
  const contentType = `multipart/form-data; boundary=${boundary}`
  const lines = daemon.add({ query: queryOf(options), contentType, body: multipartBody(noticing(entries, upload), boundary) }, { signal })
  for await (const line of lines) await tellLine(line, upload, tell)
}

/**
 * Has the daemon say whether it takes these options, before anything of the upload is read, as Kubo would. An upload of nothing makes it
 * look at them and stop.
 *
 * @throws OptionsRefusedError with its refusal
 */
export async function assertAccepted (daemon: AddingDaemon, options: AddOptions, { signal }: AbortOptions): Promise<void> {
  const boundary = 'nothing'
  try {
    const body = multipartBody(noEntries, boundary)
    await Array.fromAsync(daemon.add({ query: queryOf(options), contentType: `multipart/form-data; boundary=${boundary}`, body }, { signal }))
  } catch (err) {
    if (!(err instanceof KuboRepliedError)) throw err
    if (err.message !== 'expected a file argument') throw new OptionsRefusedError(err.message, err)
  }
}

const noEntries: AsyncIterable<AddEntry> = { async * [Symbol.asyncIterator] () {} }

interface Top { readonly path: string, readonly isDirectory: boolean, readonly metadata: EntryMetadata }

/** What was sent so far and has not been answered yet. */
interface Upload {
  readonly isWrapped: boolean
  readonly isSilent: boolean
  readonly tops: Top[]
  /** Kept for `silent` alone, which leaves out files but never directories. */
  readonly directories: Set<string>
  /** Names that are no UTF-8, by what JSON makes of them. */
  readonly oddNames: Map<string, string>
}

/** A top-level entry that is no directory has one line with a hash; a directory's own line is the last of it. */
async function tellLine (line: DaemonAddLine, { isWrapped, isSilent, tops, directories, oddNames }: Upload, tell: TellBuilt): Promise<void> {
  const top = isWrapped ? wrapper : tops[0] ?? wrapper
  const { Hash: hash, Bytes: bytes = 0, Size: size = '0' } = line
  const name = oddNames.get(line.Name) ?? line.Name
  if (hash === undefined || hash === '') return await tell({ output: { kind: 'progress', name, bytes, metadata: top.metadata } })
  const cid = CID.parse(hash)
  const isRoot = !top.isDirectory || name === top.path
  const output: AddedOutput = { kind: 'added', name, cid, size: BigInt(size), metadata: top.metadata }
  if (isRoot && !isWrapped) tops.shift()
  const isTold = !isSilent || (isRoot ? top.isDirectory : directories.has(name))
  if (isRoot || isTold) await tell({ ...isTold && { output }, ...isRoot && { root: cid } })
}

const wrapper: Top = { path: '', isDirectory: true, metadata: noEntryMetadata }

async function * noticing (entries: AsyncIterable<AddEntry>, { isSilent, tops, directories, oddNames }: Upload): AsyncGenerator<AddEntry, void, undefined> {
  for await (const entry of entries) {
    if (entry.isTop) tops.push({ path: entry.path, isDirectory: entry.kind === 'directory', metadata: entry.metadata })
    if (!entry.path.isWellFormed()) oddNames.set(entry.path.toWellFormed(), entry.path)
    if (isSilent && entry.kind === 'directory') directories.add(entry.path)
    yield entry
  }
}

function queryOf (options: AddOptions): string {
  const query = new URLSearchParams({ pin: 'false' })
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || withheld.has(name) || (value === true && name.startsWith('fast-provide-'))) continue // what is to be announced is, once it is pinned
    for (const one of Array.isArray(value) ? value as readonly string[] : [value]) query.append(name, String(one))
  }
  return query.toString()
}

const contentTypes = { file: 'application/octet-stream', directory: 'application/x-directory', symlink: 'application/symlink' } as const

/** The upload as the `ipfs` command line would send it. */
async function * multipartBody (entries: AsyncIterable<AddEntry>, boundary: string): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { kind, path, metadata, content } of entries) {
    const name = `file${metadataQuery(metadata, kind)}`
    const pieces = content[Symbol.asyncIterator]()
    const first = await pieces.next() // an entry that cannot be read is not begun
    yield Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${escaped(path)}"\r\nContent-Type: ${contentTypes[kind]}\r\n\r\n`)
    for (let piece = first; piece.done !== true; piece = await pieces.next()) yield piece.value
    yield crlf
  }
  yield Buffer.from(`--${boundary}--\r\n`)
}

const crlf = Buffer.from('\r\n')

function metadataQuery ({ mode, mtime }: EntryMetadata, kind: AddEntry['kind']): string {
  const modeField = mode === 0 || kind === 'symlink' ? '' : `mode=0${mode.toString(8)}&`
  if (modeField === '' && mtime === undefined) return ''
  // A query that names no time means 1970, so no time at all is one that cannot be read.
  return `?${modeField}${mtime === undefined ? 'mtime=-' : `mtime=${mtime.secs}&mtime-nsecs=${mtime.nsecs}`}`
}

/** Each byte that is not plain, so that names which are no UTF-8 stay what they are. */
function escaped (path: string): string {
  return [...toGoBytes(path)].map(byte => plain.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`).join('')
}

const plain = /[A-Za-z0-9._~-]/
