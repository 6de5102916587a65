import { ByteReader } from '../../api/byte-reader.ts'
import { ByteWriter } from '../../api/byte-writer.ts'

/**
 * `ask` names a method and carries the argument, if it is one; `item`s and their `end` follow one way or the other; `result` or `error`
 * is the answer; `cancel` says that it is not wanted any more.
 */
export const frameKinds = ['ask', 'item', 'end', 'result', 'error', 'cancel'] as const
export type FrameKind = typeof frameKinds[number]

export interface Frame {
  readonly kind: FrameKind
  /** Which call it belongs to, where several share a stream; else 0. */
  readonly id: number
  readonly body: Buffer
}

const lengthBytes = 4
/** Besides the body: kind and id. */
export const frameOverheadBytes = 11

/** The pieces of one frame: its length, kind, id, then the body. */
export function encodeFrame (kind: FrameKind, id: number, body: readonly Uint8Array[] = []): readonly Uint8Array[] {
  const head = new ByteWriter(16).raw(noLength).byte(frameKinds.indexOf(kind)).varint(id).finish()
  head.writeUInt32LE(head.byteLength - lengthBytes + body.reduce((sum, { byteLength }) => sum + byteLength, 0), 0)
  return [head, ...body]
}

const noLength = Buffer.alloc(lengthBytes)

/** Puts frames together again. A frame that is too long is refused when its length is known, before it is held. */
export class FrameReader {
  /** May be changed once it is known what is to come. */
  bytesMax: number
  #held: Uint8Array[] = []
  #heldBytes = 0
  #needed = lengthBytes

  constructor (bytesMax: number) { this.bytesMax = bytesMax }

  /** The frames that are whole now; their bodies are views of bytes that nobody else uses. @throws Error for what is no frame */
  * push (chunk: Uint8Array): Generator<Frame, void, undefined> {
    this.#held.push(chunk)
    this.#heldBytes += chunk.byteLength
    if (this.#heldBytes < this.#needed) return
    const bytes = this.#held.length === 1 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat(this.#held, this.#heldBytes)
    let at = 0
    this.#needed = lengthBytes
    while (bytes.byteLength - at >= lengthBytes) {
      const length = bytes.readUInt32LE(at)
      if (length > this.bytesMax + frameOverheadBytes) throw new Error(`a frame of ${length} bytes: at most ${this.bytesMax} are expected`)
      if (bytes.byteLength - at - lengthBytes < length) { this.#needed = lengthBytes + length; break }
      yield frameOf(bytes.subarray(at + lengthBytes, at + lengthBytes + length))
      at += lengthBytes + length
    }
    this.#held = at === bytes.byteLength ? [] : [bytes.subarray(at)]
    this.#heldBytes = bytes.byteLength - at
  }
}

function frameOf (bytes: Buffer): Frame {
  const from = new ByteReader(bytes)
  const kind = frameKinds[from.byte()]
  if (kind === undefined) throw new Error('a frame of an unknown kind')
  return { kind, id: from.varint(), body: from.rest() }
}
