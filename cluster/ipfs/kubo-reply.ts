import { KuboRepliedError } from '../api/errors.ts'

/** Status an error that came after the first byte stands for: the line had said 200 already. */
const lateErrorStatus = 500
const errorTextMax = 1 << 20
const lineBytesMax = 4 << 20

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** A reply that is not 200 → the daemon's own text: `Message` of its JSON, or the plain text without the last newline. */
export async function kuboErrorOf (status: number, body: AsyncIterable<Uint8Array>): Promise<KuboRepliedError> {
  const text = await readText(body, errorTextMax)
  try {
    const { Message, Code } = JSON.parse(text) as { Message?: unknown, Code?: unknown }
    if (typeof Message === 'string') return new KuboRepliedError(Message, { status, kuboCode: typeof Code === 'number' ? Code : 0 })
  } catch {
    // Plain text is how Kubo answers what its command library refuses before the command runs.
  }
  return new KuboRepliedError(text.replace(/\n$/, '') || `the IPFS daemon answered with status ${status}`, { status, kuboCode: 0 })
}

/**
 * Kubo says that it failed half-way only in this trailer: the body just ends. Its bytes are UTF-8 that came through HTTP as latin1.
 *
 * @throws KuboRepliedError when it is there
 */
export function throwStreamError (trailers: Headers): void {
  const value = trailers['x-stream-error']
  const text = Array.isArray(value) ? value.join(', ') : value
  if (text === undefined || text === '') return
  throw new KuboRepliedError(Buffer.from(text, 'latin1').toString('utf8'), { status: lateErrorStatus, kuboCode: 0 })
}

/** @throws KuboRepliedError when it is longer than `maxBytes`: a daemon that talks for ever must not fill this process */
export async function readText (body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    if (length > maxBytes) throw new KuboRepliedError(`the IPFS daemon's answer is longer than ${maxBytes} bytes`, { status: lateErrorStatus, kuboCode: 0 })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** One JSON value a line, each as soon as it is there. */
export async function * jsonLines<T> (body: AsyncIterable<Uint8Array>): AsyncGenerator<T, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of body) {
    const bytes = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      if (end > start) yield parseLine<T>(bytes.subarray(start, end))
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > lineBytesMax) throw new KuboRepliedError(`the IPFS daemon sent a line longer than ${lineBytesMax} bytes`, { status: lateErrorStatus, kuboCode: 0 })
  }
  if (rest.length > 0) yield parseLine<T>(rest)
}

function parseLine<T> (line: Buffer): T {
  try {
    return JSON.parse(line.toString('utf8')) as T
  } catch {
    throw new KuboRepliedError(`the IPFS daemon sent a line that is no JSON: ${line.toString('utf8', 0, 100)}`, { status: lateErrorStatus, kuboCode: 0 })
  }
}

const notPinned = /^not pinned or pinned indirectly$|^path '.*' is not pinned$/s

/** Whether the daemon said that it has no such pin. Its texts are looked at here only. */
export function saysNotPinned (err: unknown): boolean {
  return err instanceof KuboRepliedError && notPinned.test(err.message)
}

/** What a collection that reported errors line by line ends with. */
export function saysGcHadErrors (err: unknown): boolean {
  return err instanceof KuboRepliedError && err.message === 'encountered errors during gc run'
}

/** JSON whose whole numbers are 64 bits wide, as Go writes them: every number becomes a bigint. */
export function parseWithBigints (text: string): unknown {
  const toBigint = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    return typeof value === 'number' && context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value
  }
  return JSON.parse(text, toBigint)
}
