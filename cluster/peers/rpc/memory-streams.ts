import { ClusterError } from '../../api/errors.ts'
import type { PeerId } from '../../api/pin.ts'
import type { PeerStream, PeerStreams } from '../../peer-ports.ts'
import type { AbortOptions } from '../../ports.ts'

/** Held by the reader's end before the writer's has to wait. */
const heldBytesMax = 256 * 1_024

/** Peers in one process, with streams between them that keep the same promises as those of libp2p. */
export class MemoryNetwork {
  readonly #peers = new Map<PeerId, MemoryPeer>()

  join (self: PeerId): MemoryPeer {
    const peer = new MemoryPeer(self, other => this.#peers.get(other))
    this.#peers.set(self, peer)
    return peer
  }

  /** As if its process had died. */
  kill (self: PeerId): void {
    this.#peers.get(self)?.endAll(new ClusterError('ERR_PEER_FAILED', `${self} ended the stream`))
    this.#peers.delete(self)
  }
}

export class MemoryPeer implements PeerStreams {
  readonly self: PeerId
  readonly #find: (peer: PeerId) => MemoryPeer | undefined
  readonly #served = new Map<string, (stream: PeerStream) => void>()
  readonly #streams = new Set<PeerStream>()

  constructor (self: PeerId, find: (peer: PeerId) => MemoryPeer | undefined) {
    this.self = self
    this.#find = find
  }

  handle (protocol: string, _lane: unknown, serve: (stream: PeerStream) => void): void { this.#served.set(protocol, serve) }
  learn (): void {}

  async open (peer: PeerId, protocol: string, _lane: unknown, { signal }: AbortOptions): Promise<PeerStream> {
    signal.throwIfAborted()
    const other = this.#find(peer)
    if (other === undefined) throw new ClusterError('ERR_PEER_FAILED', `cannot connect to ${peer}`)
    const serve = other.#served.get(protocol)
    if (serve === undefined) throw new ClusterError('ERR_PEER_FAILED', `${peer}: no protocol ${protocol}`)
    const [near, far] = memoryStreamPair(this.self, peer)
    this.#own(near)
    other.#own(far)
    setImmediate(() => { if (!far.closed.aborted) serve(far) })
    return near
  }

  endAll (reason: Error): void {
    for (const stream of this.#streams) stream.abort(reason)
  }

  #own (stream: PeerStream): void {
    this.#streams.add(stream)
    stream.closed.addEventListener('abort', () => this.#streams.delete(stream), { once: true })
  }
}

interface Pipe { readonly chunks: Uint8Array[], bytes: number, changed: PromiseWithResolvers<void> }

/** The end of `near`, which talks to `far`, and the other. */
export function memoryStreamPair (near: PeerId, far: PeerId): readonly [PeerStream, PeerStream] {
  const [there, back] = [newPipe(), newPipe()]
  const [nearClosing, farClosing] = [new AbortController(), new AbortController()]
  const end = (reason: Error, by: 'near' | 'far'): void => {
    const gone = (peer: PeerId): ClusterError => new ClusterError('ERR_PEER_FAILED', `${peer} ended the stream: ${reason.message}`)
    nearClosing.abort(by === 'near' ? reason : gone(far))
    farClosing.abort(by === 'far' ? reason : gone(near))
    for (const pipe of [there, back]) change(pipe)
  }
  return [
    streamOf(far, there, back, nearClosing.signal, reason => { end(reason, 'near') }),
    streamOf(near, back, there, farClosing.signal, reason => { end(reason, 'far') })
  ]
}

function streamOf (peer: PeerId, out: Pipe, into: Pipe, closed: AbortSignal, abort: (reason: Error) => void): PeerStream {
  return {
    peer,
    closed,
    abort,
    get queuedBytes () { return out.bytes },
    received: receive(into, closed),
    write (...pieces) {
      if (closed.aborted) return false
      for (const piece of pieces) {
        out.chunks.push(piece)
        out.bytes += piece.byteLength
      }
      change(out)
      return out.bytes < heldBytesMax
    },
    async drained ({ signal }) {
      const over = AbortSignal.any([signal, closed])
      const stop = (): void => { change(out) }
      over.addEventListener('abort', stop, { once: true })
      while (out.bytes >= heldBytesMax && !over.aborted) await out.changed.promise
      over.removeEventListener('abort', stop)
      over.throwIfAborted()
    }
  }
}

async function * receive (pipe: Pipe, closed: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  while (true) {
    const chunk = pipe.chunks.shift()
    if (chunk !== undefined) {
      pipe.bytes -= chunk.byteLength
      change(pipe)
      yield chunk
    } else {
      closed.throwIfAborted()
      await pipe.changed.promise
    }
  }
}

const newPipe = (): Pipe => ({ chunks: [], bytes: 0, changed: Promise.withResolvers() })

function change (pipe: Pipe): void {
  pipe.changed.resolve()
  pipe.changed = Promise.withResolvers()
}
