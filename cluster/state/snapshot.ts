import { ByteReader } from '../api/byte-reader.ts'
import { ByteWriter } from '../api/byte-writer.ts'
import { ClusterError } from '../api/errors.ts'
import { decodePin } from '../api/pin-bytes.ts'
import type { PinsetEntry } from '../ports.ts'
import { digestAfter, emptyDigest, encodeEntry } from './digest.ts'

/** Says what the stream is and in which version. */
const magic = Buffer.from('QPS1')
const chunkBytes = 64 << 10
const recordBytesMax = 4 << 20
const sizeBytes = 4

/**
 * The pinset as bytes: magic, index of the last entry applied, then every pin with its revision in the order of their CIDs, and a
 * closing record with their number and their digest. A record is its size (4 bytes, big-endian) and that many bytes; a size of 0 opens
 * the closing one. The same pinset gives the same bytes.
 *
 * @param digest as it was kept change by change, so that whoever reads the pins can tell whether it was kept well
 */
export async function * encodeSnapshot (entries: AsyncIterable<PinsetEntry>, appliedIndex: bigint, digest: bigint): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Buffer[] = [magic, record(new ByteWriter().varint(appliedIndex).finish())]
  let heldBytes = 0
  let count = 0
  for await (const entry of entries) {
    const bytes = record(encodeEntry(entry))
    held.push(bytes)
    heldBytes += bytes.byteLength
    count++
    if (heldBytes < chunkBytes) continue
    yield Buffer.concat(held)
    held = []
    heldBytes = 0
  }
  held.push(Buffer.alloc(sizeBytes), record(new ByteWriter().varint(count).varint(digest).finish()))
  yield Buffer.concat(held)
}

export interface DecodedSnapshot {
  readonly appliedIndex: bigint
  /** Throws at its end when the stream was cut short, or is not what was sent. */
  readonly entries: AsyncIterable<PinsetEntry>
}

/** @throws ClusterError ERR_STORAGE when the bytes are no snapshot or not a whole one */
export async function decodeSnapshot (source: AsyncIterable<Uint8Array>): Promise<DecodedSnapshot> {
  const bytes = new Puller(source)
  if (!magic.equals(await bytes.take(magic.length))) throw new ClusterError('ERR_STORAGE', 'these bytes are no snapshot of a pinset')
  const appliedIndex = new ByteReader(await takeRecord(bytes)).bigint()
  return { appliedIndex, entries: decodeEntries(bytes) }
}

async function * decodeEntries (bytes: Puller): AsyncGenerator<PinsetEntry, void, undefined> {
  let count = 0
  let digest = emptyDigest
  for (let body = await takeRecord(bytes); body.length > 0; body = await takeRecord(bytes)) {
    const reader = new ByteReader(body)
    const revision = reader.bigint()
    yield { pin: decodePin(reader.rest()), revision }
    count++
    digest = digestAfter(digest, undefined, body)
  }
  const closing = new ByteReader(await takeRecord(bytes))
  const [promised, promisedDigest] = [closing.varint(), closing.bigint()] as const
  if (promised !== count) throw new ClusterError('ERR_STORAGE', `a snapshot holds ${count} pins and says ${promised}`)
  if (promisedDigest !== digest) throw new ClusterError('ERR_STORAGE', `the pins of a snapshot have the digest ${digest.toString(16)}, and it says ${promisedDigest.toString(16)}`)
}

function record (body: Buffer): Buffer {
  const size = Buffer.alloc(sizeBytes)
  size.writeUInt32BE(body.length)
  return Buffer.concat([size, body])
}

async function takeRecord (bytes: Puller): Promise<Buffer> {
  const size = (await bytes.take(sizeBytes)).readUInt32BE()
  if (size > recordBytesMax) throw new ClusterError('ERR_STORAGE', `a snapshot announces a record of ${size} bytes`)
  return await bytes.take(size)
}

/** Takes exact amounts from a stream of chunks. */
class Puller {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor (source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async take (length: number): Promise<Buffer> {
    while (this.#held.length < length) {
      const next = await this.#source.next()
      if (next.done === true) throw new ClusterError('ERR_STORAGE', 'a snapshot is cut short')
      this.#held = Buffer.concat([this.#held, next.value])
    }
    const taken = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    return taken
  }
}
