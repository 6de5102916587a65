import { parseGoQuery, unescapeGo } from '../../cluster/api/kubo/query.ts'
import { parseMediaType } from '../../cluster/api/kubo/media-type.ts'
import { MultipartError } from '../../cluster/api/kubo/multipart.ts'
import type { MultipartPart } from '../../cluster/api/kubo/multipart.ts'
import { nameStepsMax, tooDeep } from '../../cluster/api/kubo/upload-limits.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import type { Mtime } from '../unixfs/data.ts'

const billion = 1_000_000_000n

export interface UploadedEntry {
  readonly kind: 'file' | 'directory' | 'symlink'
  /** Cleaned: no empty segment, no `..`. Empty for a file without a name. */
  readonly path: readonly string[]
  /** As it was sent with the entry; 0 for none. */
  readonly mode: number
  readonly mtime: Mtime | undefined
  readonly body: AsyncIterable<Uint8Array>
}

/** The parts of an upload as files and directories, read as boxo's `multifilereader` writes and its `multipartfile` reads them. */
export async function * entriesOf (parts: AsyncIterable<MultipartPart>): AsyncGenerator<UploadedEntry, void, undefined> {
  for await (const { headers, body } of wholeParts(parts)) {
    const disposition = parseMediaType(headers.get('content-disposition') ?? '')
    const type = parseMediaType(headers.get('content-type') ?? '')?.type
    const kind = type === 'application/x-directory' || type === 'multipart/form-data' ? 'directory' : type === 'application/symlink' ? 'symlink' : 'file'
    const path = cleanPath(fileName(disposition?.params.get('filename') ?? ''))
    yield { kind, path, body, ...metadataOf(disposition?.params.get('name') ?? '') }
  }
}

/** After a part that was cut there is no next one, which is what Kubo says then. */
async function * wholeParts (parts: AsyncIterable<MultipartPart>): AsyncGenerator<MultipartPart, void, undefined> {
  try {
    yield * parts
  } catch (err) {
    throw err instanceof MultipartError && err.cut ? new MultipartError('multipart: NextPart: EOF', { cut: true }) : err
  }
}

/** Clients escape names as for a query; a name that is not escaped like that is taken as it is. */
function fileName (raw: string): string {
  return unescapeGo(raw, 'query') ?? Buffer.from(raw, 'latin1').toString('utf8')
}

function cleanPath (name: string): readonly string[] {
  const segments: string[] = []
  for (const segment of name.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  if (segments.length > nameStepsMax) throw new KuboError(tooDeep)
  return segments
}

/** Mode and time travel in the field's name: `file?mode=0644&mtime=1700000000&mtime-nsecs=5`. Whoever sends the one without the other sends the time 0, as boxo reads it. */
function metadataOf (field: string): Pick<UploadedEntry, 'mode' | 'mtime'> {
  const at = field.indexOf('?')
  if (at < 0) return { mode: 0, mtime: undefined }
  const query = parseGoQuery(field.slice(at + 1))
  const mode = query.get('mode')?.[0] ?? ''
  const seconds = query.get('mtime')?.[0] ?? '0'
  const nanoseconds = query.get('mtime-nsecs')?.[0] ?? '0'
  return {
    mode: /^[0-7]{1,12}$/.test(mode) ? parseInt(mode, 8) : 0,
    mtime: isWhole(seconds) ? timeOf(BigInt(seconds), isWhole(nanoseconds) ? BigInt(nanoseconds) : 0n) : undefined
  }
}

/** Nanoseconds beyond a second are seconds, as Go's `time.Unix` has it. */
function timeOf (seconds: bigint, nanoseconds: bigint): Mtime {
  const rest = ((nanoseconds % billion) + billion) % billion
  return { seconds: seconds + (nanoseconds - rest) / billion, nanoseconds: Number(rest) }
}

function isWhole (text: string): boolean {
  return /^[+-]?\d{1,18}$/.test(text)
}
