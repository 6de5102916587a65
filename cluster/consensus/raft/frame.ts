/** Frames on a byte stream: length, CRC32C, body. A frame that is not whole and right ends the connection; Raft sends again. */
import { crc32c } from './crc32c.ts'
import { MalformedError } from './bytes.ts'

export const frameHeaderBytes = 8
/** Above the largest entry with its message around it. */
export const frameBytesMax = 16 * 1_024 * 1_024

export function encodeFrame (body: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + body.length)
  frame.writeUInt32LE(body.length, 0)
  frame.writeUInt32LE(crc32c(body), 4)
  frame.set(body, frameHeaderBytes)
  return frame
}

export class FrameReader {
  #held: Uint8Array[] = []
  #heldBytes = 0
  #needed = frameHeaderBytes

  /** The frames that are complete now. @throws MalformedError */
  push (chunk: Uint8Array): readonly Uint8Array[] {
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes < this.#needed) return []
    const bytes = this.#held.length === 1 ? chunk : Buffer.concat(this.#held)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const bodies: Uint8Array[] = []
    let at = 0
    this.#needed = frameHeaderBytes
    while (bytes.length - at >= frameHeaderBytes) {
      const length = view.getUint32(at, true)
      if (length > frameBytesMax) throw new MalformedError(`a frame of ${length} bytes`)
      if (bytes.length - at < frameHeaderBytes + length) { this.#needed = frameHeaderBytes + length; break }
      const body = bytes.subarray(at + frameHeaderBytes, at + frameHeaderBytes + length)
      if (crc32c(body) !== view.getUint32(at + 4, true)) throw new MalformedError('a frame with a wrong checksum')
      bodies.push(body)
      at += frameHeaderBytes + length
    }
    this.#held = at === bytes.length ? [] : [bytes.subarray(at)]
    this.#heldBytes = bytes.length - at
    return bodies
  }
}
