import { unescapeGo } from '../cluster/api/kubo/query.ts'
import { parseMediaType, readMediaType } from '../cluster/api/kubo/media-type.ts'
import type { MultipartPart } from '../cluster/api/kubo/multipart.ts'
import { parseGoQuery } from '../cluster/api/kubo/query.ts'
import { nameStepsMax, tooDeep } from '../cluster/api/kubo/upload-limits.ts'
import { UploadError } from './upload-error.ts'

/** Permissions and time that came with an entry, as Go holds them: an `os.FileMode`, 0 for none. */
export interface EntryMetadata {
  readonly mode: number
  readonly mtime: { readonly secs: bigint, readonly nsecs: number } | undefined
}

/** One thing to add. A directory comes before what is in it, whether the upload names it or only implies it. */
export interface AddEntry {
  readonly kind: 'file' | 'directory' | 'symlink'
  /** Relative and clean, without `.` and `..`; empty for a file without a name. */
  readonly path: string
  /** Whether it stands by itself: each such entry, with what is in it, becomes a root. Others belong to the one before. */
  readonly isTop: boolean
  readonly metadata: EntryMetadata
  /** The bytes of a file, the target of a symbolic link. To be read before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>
}

export const noEntryMetadata: EntryMetadata = Object.freeze({ mode: 0, mtime: undefined })
/** `os.ModeSymlink | os.ModePerm`, which Go gives every symbolic link. */
export const symlinkMode = 0o1000000777

/**
 * The parts of an upload as Kubo understands them: names unescaped and cleaned (nothing leads out of the upload), directories that
 * only show in names, a directory that ends as soon as something else comes, metadata in the field name.
 *
 * @see boxo `files/multipartfile.go`, whose nested iterators are this stack
 */
export async function * addEntries (parts: AsyncIterable<MultipartPart>): AsyncGenerator<AddEntry, void, undefined> {
  const stack: OpenDirectory[] = [{ path: '/', lastName: '' }]
  for await (const part of parts) {
    const disposition = parseMediaType(part.headers.get('content-disposition') ?? '')
    if (disposition === undefined) return // Kubo finds no name, and takes that for the end
    const name = cleanPath(`/${unescapedName(disposition.params.get('filename') ?? '')}`)

    while (!isChild(name, stack.at(-1)!.path)) stack.pop()
    const parent = stack.at(-1)!
    if (parent.lastName !== '' && isChild(name, join(parent.path, parent.lastName))) continue // a file cannot have files in it
    yield * impliedDirectories(stack, name)
    const isTop = stack.length === 1
    stack.at(-1)!.lastName = name.slice(directoryPrefix(stack.at(-1)!.path).length)
    const type = partType(part.headers.get('content-type') ?? '')
    if (typeof type !== 'string') {
      // What came before it ends first: an entry that cannot be read says so when it is.
      yield { kind: 'file', path: name.slice(1), isTop, metadata: noEntryMetadata, content: unreadable(type) }
      return
    }
    if (type === 'directory') stack.push({ path: name, lastName: '' })
    const metadata = metadataOf(disposition.type === 'form-data' ? disposition.params.get('name') ?? '' : '')
    yield { kind: type, path: name.slice(1), isTop, metadata: type === 'symlink' ? { ...metadata, mode: symlinkMode } : metadata, content: part.body }
  }
}

interface OpenDirectory { readonly path: string, lastName: string }

function * impliedDirectories (stack: OpenDirectory[], name: string): Generator<AddEntry, void, undefined> {
  while (true) {
    const parent = stack.at(-1)!
    const start = directoryPrefix(parent.path).length
    const slash = name.indexOf('/', start)
    if (slash < 0) return
    const isTop = stack.length === 1
    parent.lastName = name.slice(start, slash)
    const path = name.slice(0, slash)
    stack.push({ path, lastName: '' })
    yield { kind: 'directory', path: path.slice(1), isTop, metadata: noEntryMetadata, content: nothing }
  }
}

const nothing: AsyncIterable<Uint8Array> = { async * [Symbol.asyncIterator] () {} }
const directoryPrefix = (path: string): string => path.endsWith('/') ? path : `${path}/`
const isChild = (child: string, parent: string): boolean => child.startsWith(directoryPrefix(parent))
const join = (parent: string, name: string): string => `${directoryPrefix(parent)}${name}`

async function * unreadable (error: Error): AsyncGenerator<Uint8Array, void, undefined> { throw error }

/** @returns an error in Go's words for a type that cannot be read */
function partType (contentType: string): AddEntry['kind'] | Error {
  if (contentType === '' || contentType === 'application/octet-stream') return 'file'
  const parsed = readMediaType(contentType)
  if (typeof parsed === 'string') return new UploadError(parsed)
  if (parsed.type === 'application/x-directory' || parsed.type === 'multipart/form-data') return 'directory'
  return parsed.type === 'application/symlink' ? 'symlink' : 'file'
}

/** Names come escaped as in a query (Go), by `encodeURIComponent` (JavaScript) or raw (curl): what does not unescape is raw. */
function unescapedName (filename: string): string {
  return unescapeGo(filename, 'query') ?? unescapeGo(filename.replaceAll('%', '%25').replaceAll('+', '%2B'), 'query') ?? filename
}

/** Go's `path.Clean` of a rooted path: no `.`, `..`, or empty steps, and no way above the root. */
function cleanPath (path: string): string {
  const steps: string[] = []
  for (const step of path.split('/')) {
    if (step === '..') steps.pop()
    else if (step !== '' && step !== '.') steps.push(step)
  }
  if (steps.length > nameStepsMax) throw new UploadError(tooDeep)
  return `/${steps.join('/')}`
}

/** `file?mode=0644&mtime=1700000000&mtime-nsecs=5`, octal and decimal. What cannot be read is not there. */
function metadataOf (fieldName: string): EntryMetadata {
  const at = fieldName.indexOf('?')
  if (at < 0) return noEntryMetadata
  const params = parseGoQuery(fieldName.slice(at + 1))
  const written = params.get('mode')?.[0] ?? ''
  const mode = /^[0-7]+$/.test(written) && parseInt(written, 8) < 2 ** 32 ? parseInt(written, 8) : 0
  const secs = goInt64(params.get('mtime')?.[0] ?? '0')
  if (secs === undefined) return { mode, mtime: undefined }
  // A query without a time is 1970 to Go; a count of nanoseconds may be more than a second's.
  const nsecs = goInt64(params.get('mtime-nsecs')?.[0] ?? '0') ?? 0n
  const whole = secs * 1_000_000_000n + nsecs
  const rest = ((whole % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  return { mode, mtime: { secs: (whole - rest) / 1_000_000_000n, nsecs: Number(rest) } }
}

function goInt64 (text: string): bigint | undefined {
  if (!/^[+-]?\d{1,20}$/.test(text)) return undefined
  const value = BigInt(text.replace('+', ''))
  return BigInt.asIntN(64, value) === value ? value : undefined
}
