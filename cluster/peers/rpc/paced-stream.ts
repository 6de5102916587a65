import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { abortable } from '../../async/abortable.ts'
import { ClusterError } from '../../api/errors.ts'
import type { PeerId } from '../../api/pin.ts'
import type { PeerStream } from '../../peer-ports.ts'
import type { AbortOptions } from '../../ports.ts'
import type { ByteCounter } from '../traffic.ts'

/** Above it the far side is asked to hold; what it has sent by then, a stream window at most, still comes. */
const heldBytesMax = 256 * 1_024

/**
 * A stream of libp2p behind the seam. Three things about those are not as they look (libp2p 3.3): iterating one takes in whatever the
 * network brings, however slowly it is read; `onDrain()` resolves at once from its second use; and a half-close that arrives while
 * the reader has paused ends the iteration and drops what was held. So it is read by its events here, paused by what is held, and
 * never half-closed: either side ends it whole, once both have said in their own bytes that they are done.
 */
export function pacedStream (stream: Stream, peer: PeerId, counter: ByteCounter): PeerStream {
  const held: Uint8Array[] = []
  const closing = new AbortController()
  let heldBytes = 0
  let arrived = Promise.withResolvers<void>()
  let room = Promise.withResolvers<void>()

  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    for (const bytes of data instanceof Uint8Array ? [data] : data) held.push(bytes)
    heldBytes += data.byteLength
    counter.received(data.byteLength)
    if (heldBytes >= heldBytesMax && stream.readStatus === 'readable') stream.pause()
    arrived.resolve()
  })
  stream.addEventListener('drain', () => {
    room.resolve()
    room = Promise.withResolvers()
  })
  const ended = (reason: unknown): void => {
    closing.abort(reason)
    arrived.resolve()
    room.resolve()
  }
  stream.addEventListener('close', ({ error }: StreamCloseEvent) => { ended(goneError(peer, error)) })
  stream.addEventListener('remoteCloseWrite', () => { stream.abort(new Error('half-closed by the other side')) })
  if (stream.status !== 'open') ended(goneError(peer, undefined))

  async function * receive (): AsyncGenerator<Uint8Array, void, undefined> {
    while (true) {
      const bytes = held.shift()
      if (bytes !== undefined) {
        heldBytes -= bytes.byteLength
        yield bytes
      } else {
        closing.signal.throwIfAborted()
        arrived = Promise.withResolvers()
        if (stream.readStatus === 'paused') stream.resume()
        if (held.length === 0 && !closing.signal.aborted) await arrived.promise
      }
    }
  }

  return {
    peer,
    closed: closing.signal,
    received: receive(),
    get queuedBytes () { return stream.writeBufferLength },
    write (...pieces) {
      if (stream.writeStatus !== 'writable') return false
      for (const { byteLength } of pieces) counter.sent(byteLength)
      return stream.send(pieces.length === 1 ? pieces[0]! : new Uint8ArrayList(...pieces))
    },
    async drained ({ signal }: AbortOptions) {
      closing.signal.throwIfAborted()
      if (stream.writableNeedsDrain) await abortable(room.promise, signal)
      closing.signal.throwIfAborted()
    },
    abort (reason) {
      ended(reason)
      stream.abort(reason)
    }
  }
}

function goneError (peer: PeerId, cause: Error | undefined): ClusterError {
  return new ClusterError('ERR_PEER_FAILED', `${peer} ended the stream${cause === undefined ? '' : `: ${cause.message}`}`, { cause })
}
