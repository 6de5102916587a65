/** Messages over libp2p's streams: each behind its length, read within bounds, written no faster than the other side reads. */
import type { Stream } from '@libp2p/interface'
import type { Clock } from '../../cluster/clock.ts'
import { varint } from '../dag/protobuf.ts'

/** Kubo's limit for a message. */
const messageBytesMax = 4 * 1024 * 1024
const lengthBytesMax = 4
/** Of messages that have not come to their end, over all streams of one peer. */
const unfinishedBytesMax = 4 * messageBytesMax

/** What a peer's streams hold together. */
export interface Unfinished { bytes: number }

/**
 * Hands each message of `stream` to `take`, in order and at once: what a peer may send unread is bounded by what it is asked for.
 * A stream that says something else is reset.
 *
 * The events are listened to because iterating over a stream of js-libp2p takes everything in, and pausing one loses its tail.
 */
export function readMessages (stream: Stream, unfinished: Unfinished, take: (message: Uint8Array) => void): void {
  let held: Uint8Array[] = []
  let heldBytes = 0
  const hold = (bytes: number): void => {
    unfinished.bytes += bytes - heldBytes
    heldBytes = bytes
  }
  const takeAll = (): void => {
    while (true) {
      const head = peekHead(held)
      if (head === undefined || heldBytes < head.end + head.length) return
      const all = held.length === 1 ? held[0]! : Buffer.concat(held)
      const rest = all.subarray(head.end + head.length)
      held = rest.length === 0 ? [] : [rest]
      hold(rest.length)
      take(all.subarray(head.end, head.end + head.length))
    }
  }
  stream.addEventListener('message', ({ data }) => {
    try {
      for (const piece of data instanceof Uint8Array ? [data] : data) {
        held.push(piece)
        hold(heldBytes + piece.byteLength)
      }
      takeAll()
      if (unfinished.bytes > unfinishedBytesMax) throw new Error('too much has come that is not whole')
    } catch (err) {
      stream.abort(err as Error)
    }
  })
  stream.addEventListener('close', () => {
    held = []
    hold(0)
  })
}

export interface Patience { readonly clock: Clock, readonly stallTimeoutMs: number }

/** Resolves when the stream would take more. @throws when it has ended, or takes nothing for `stallTimeoutMs` */
export async function writeMessage (stream: Stream, pieces: readonly Uint8Array[], patience: Patience): Promise<void> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  // in one piece: each is a frame and a record of TLS of its own
  stream.send(Buffer.concat([varint(BigInt(length)), ...pieces]))
  // `onDrain` resolves at once from its second use on
  while (stream.writableNeedsDrain) {
    if (stream.status !== 'open') throw new Error(`the stream is ${stream.status}`)
    await drained(stream, patience)
  }
}

async function drained (stream: Stream, { clock, stallTimeoutMs }: Patience): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onDrain = (): void => { resolve() }
  const onClose = (): void => { reject(new Error('the stream was closed')) }
  using _timer = clock.after(stallTimeoutMs, () => { reject(new Error(`the peer has taken nothing for ${stallTimeoutMs} ms`)) })
  stream.addEventListener('drain', onDrain)
  stream.addEventListener('close', onClose)
  try {
    await promise
  } finally {
    stream.removeEventListener('drain', onDrain)
    stream.removeEventListener('close', onClose)
  }
}

/** The length in front of the next message, and where that begins; nothing while it is not all there. @throws Error for one too long */
function peekHead (held: readonly Uint8Array[]): { readonly length: number, readonly end: number } | undefined {
  let length = 0
  let at = 0
  for (const piece of held) {
    for (const byte of piece) {
      length += (byte & 0x7f) * 2 ** (7 * at++)
      if (byte < 0x80) {
        if (length > messageBytesMax) throw new Error(`a message of ${length} bytes is too long`)
        return { length, end: at }
      }
      if (at >= lengthBytesMax) throw new Error('a message of this length is too long')
    }
  }
  return undefined
}
