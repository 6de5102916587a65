import { Uint8ArrayList } from 'uint8arraylist'

const headerBytes = 12
const windowUpdate = 1
/** More streams at once than this peer usually has; what is held of those that have ended goes with the next flush. */
const streamsMax = 64

/**
 * Holds back yamux's window updates. The muxer answers each frame of data with one, however small; its specification lets them wait, and an own TLS
 * record for each made half of what peers wrote to each other for a pin. As long as less is held than `heldBytesMax`, which must be less than a
 * window, no sender waits for one.
 *
 * Frames: https://github.com/hashicorp/yamux/blob/master/spec.md
 */
export class HeldUpdates {
  readonly #heldBytesMax: number
  /** By stream, so many bytes it may send again. */
  readonly #held = new Map<number, number>()
  #heldBytes = 0

  constructor (heldBytesMax: number) { this.#heldBytesMax = heldBytesMax }

  /** @returns what is to be sent instead of one whole frame of the muxer: nothing yet, or the frame itself, or all that was held */
  pass (frame: Uint8Array | Uint8ArrayList): Uint8Array | Uint8ArrayList | undefined {
    if (frame.byteLength !== headerBytes || !(frame instanceof Uint8Array)) return frame
    const header = new DataView(frame.buffer, frame.byteOffset, headerBytes)
    const isUpdateAlone = header.getUint8(1) === windowUpdate && header.getUint16(2) === 0 // flags open, end and reset a stream
    if (!isUpdateAlone) return frame

    const [stream, bytes] = [header.getUint32(4), header.getUint32(8)]
    this.#held.set(stream, (this.#held.get(stream) ?? 0) + bytes)
    this.#heldBytes += bytes
    return this.#heldBytes < this.#heldBytesMax && this.#held.size < streamsMax ? undefined : this.#flush()
  }

  #flush (): Uint8ArrayList {
    const updates = new Uint8ArrayList()
    for (const [stream, bytes] of this.#held) updates.append(updateOf(stream, bytes))
    this.#held.clear()
    this.#heldBytes = 0
    return updates
  }
}

function updateOf (stream: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(headerBytes)
  const header = new DataView(frame.buffer)
  header.setUint8(1, windowUpdate)
  header.setUint32(4, stream)
  header.setUint32(8, bytes)
  return frame
}
