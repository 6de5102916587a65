import { abortable } from '../../async/abortable.ts'
import { deadline } from '../../async/deadline.ts'
import { untilGivenUp } from '../../async/give-up.ts'
import { joinSignals } from '../../async/join-signals.ts'
import { ByteWriter } from '../../api/byte-writer.ts'
import { ClusterError } from '../../api/errors.ts'
import type { PeerId } from '../../api/pin.ts'
import type { CallMethod, PeerLane, PeerRpc, PeerStream, PeerStreams, PullMethod, PushMethod, RpcMethod, RpcMethods } from '../../peer-ports.ts'
import type { AbortOptions } from '../../ports.ts'
import { CallLink } from './call-link.ts'
import { decodeValue, encodeValue } from './codec.ts'
import type { Codec } from './codec.ts'
import { decodeError } from './error-codec.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import type { Frame } from './frame.ts'
import { FrameWriter } from './frame-writer.ts'
import { rpcMethods } from './methods.ts'
import { callProtocol, callsMax, framesOf, streamProtocol, streamsMax } from './protocols.ts'
import { RpcServer } from './server.ts'
import type { RpcServerComponents } from './server.ts'
import { Turns } from './turns.ts'

export interface PeerRpcComponents extends RpcServerComponents {
  readonly streams: PeerStreams
}

const errorBytesMax = 16 * 1_024
const answerBytesMax = Math.max(...Object.values(rpcMethods).filter(({ shape }) => shape === 'call').map(({ resultBytesMax }) => resultBytesMax))
/** To be connected and to have agreed on the protocol: several addresses may have to be tried. */
const openTimeoutMs = 20_000
/** Half of what the other side takes, so that it never has to refuse. */
const callsAtOnceMax = callsMax / 2
const streamsAtOnceMax = streamsMax / 2

/** Calls to the other peers, and the answers to theirs. To be made before the host starts, for it registers its protocols there. */
export function createPeerRpc (components: PeerRpcComponents): PeerRpc {
  return new StreamRpc(components)
}

class StreamRpc implements PeerRpc {
  readonly name = 'peer-rpc'
  readonly #with: PeerRpcComponents
  readonly #server: RpcServer
  readonly #links = new Map<PeerId, Promise<CallLink>>()
  readonly #callTurns = new Turns<PeerId>(callsAtOnceMax)
  readonly #streamTurns = new Turns<PeerId>(streamsAtOnceMax)
  readonly #closing = new AbortController()

  constructor (components: PeerRpcComponents) {
    this.#with = components
    this.#server = new RpcServer(components)
    components.streams.handle(callProtocol, 'swift', stream => { this.#server.serveCalls(stream) })
    components.streams.handle(streamProtocol, 'bulk', stream => { this.#server.serveStream(stream) })
  }

  async start (): Promise<void> {}

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#closing.abort(new ClusterError('ERR_PEER_FAILED', 'this peer is stopping'))
    await this.#server[Symbol.asyncDispose]()
  }

  async call<M extends CallMethod> (peer: PeerId, method: M, argument: RpcMethods[M]['argument'], { signal }: AbortOptions): Promise<RpcMethods[M]['result']> {
    const { argument: codec, result, timeoutMs, isUrgent = false } = rpcMethods[method]
    const body = asking(method, encodeValue(codec as Codec<RpcMethods[M]['argument']>, argument))
    using lasting = joinSignals(signal, this.#closing.signal)
    using limit = deadline(this.#with.clock, timeoutMs, `${method} on ${peer}`, lasting.signal)
    using _turn = isUrgent ? undefined : await this.#callTurns.take(peer, limit.signal)
    const link = await abortable(this.#link(peer), limit.signal)
    const answer = await link.ask(body, limit)
    return readAnswer(peer, () => decodeValue(result as Codec<RpcMethods[M]['result']>, answer))
  }

  async * pull<M extends PullMethod> (peer: PeerId, method: M, argument: RpcMethods[M]['argument'], options: AbortOptions): AsyncGenerator<RpcMethods[M]['result'], void, undefined> {
    const { argument: codec, result, resultBytesMax } = rpcMethods[method]
    const body = asking(method, encodeValue(codec as Codec<RpcMethods[M]['argument']>, argument))
    using lasting = joinSignals(options.signal, this.#closing.signal)
    const { signal } = lasting
    using _turn = await this.#streamTurns.take(peer, signal)
    using stream = await this.#open(peer, signal)
    stream.write(...encodeFrame('ask', 0, body))
    for await (const frame of stream.frames(resultBytesMax)) {
      if (frame.kind === 'end') return
      if (frame.kind === 'error') throw decodeError(frame.body)
      yield readAnswer(peer, () => decodeValue(result as Codec<RpcMethods[M]['result']>, expected(frame, 'item')))
    }
  }

  async push<M extends PushMethod> (peer: PeerId, method: M, source: AsyncIterable<RpcMethods[M]['argument']>, options: AbortOptions): Promise<RpcMethods[M]['result']> {
    const { argument: codec, result, argumentBytesMax, resultBytesMax } = rpcMethods[method]
    const answered = new AbortController()
    using lasting = joinSignals(options.signal, this.#closing.signal)
    const { signal } = lasting
    using _turn = await this.#streamTurns.take(peer, signal)
    using stream = await this.#open(peer, signal)
    stream.write(...encodeFrame('ask', 0, asking(method, [])))

    using pumped = joinSignals(signal, answered.signal, stream.raw.closed)
    const pumping = pump(stream.raw, source, codec as Codec<RpcMethods[M]['argument']>, argumentBytesMax, pumped.signal)
    const answer = stream.frames(resultBytesMax).next()
    try {
      // The answer may come before the end: an error, or a handler that wants no more. A source that fails ends it too.
      await Promise.race([pumping, answer])
      const { value: frame } = await answer
      if (frame === undefined) throw new ClusterError('ERR_PEER_FAILED', `${peer} ended the stream without an answer`)
      if (frame.kind === 'error') throw decodeError(frame.body)
      return readAnswer(peer, () => decodeValue(result as Codec<RpcMethods[M]['result']>, expected(frame, 'result')))
    } finally {
      answered.abort(new Error('answered'))
      stream[Symbol.dispose]()
      await Promise.allSettled([pumping, answer]) // so that nobody takes from the source any more
    }
  }

  #link (peer: PeerId): Promise<CallLink> {
    const before = this.#links.get(peer)
    if (before !== undefined) return before
    const opening = this.#openWithin(peer, callProtocol, 'swift', this.#closing.signal).then(stream => new CallLink(stream, Math.max(answerBytesMax, errorBytesMax)))
    const forget = (): void => { if (this.#links.get(peer) === opening) this.#links.delete(peer) }
    opening.then(async link => { await link.ended }).then(forget, forget)
    this.#links.set(peer, opening)
    return opening
  }

  async #open (peer: PeerId, signal: AbortSignal): Promise<OwnStream> {
    return new OwnStream(await this.#openWithin(peer, streamProtocol, 'bulk', signal), signal)
  }

  async #openWithin (peer: PeerId, protocol: string, lane: PeerLane, signal: AbortSignal): Promise<PeerStream> {
    using limit = deadline(this.#with.clock, openTimeoutMs, `opening a stream to ${peer}`, signal)
    try {
      return await this.#with.streams.open(peer, protocol, lane, limit)
    } catch (err) {
      signal.throwIfAborted()
      throw limit.signal.aborted ? new ClusterError('ERR_PEER_FAILED', `no stream to ${peer} within ${openTimeoutMs} ms`) : err
    }
  }
}

/** A stream for one pull or push: ended when its user leaves, and when the signal aborts. */
class OwnStream implements Disposable {
  readonly raw: PeerStream
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => { this.raw.abort(this.#signal.reason) }

  constructor (raw: PeerStream, signal: AbortSignal) {
    this.raw = raw
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
    if (signal.aborted) this.#onAbort()
  }

  write (...pieces: readonly Uint8Array[]): void { this.raw.write(...pieces) }

  frames (bytesMax: number): AsyncGenerator<Frame, void, undefined> {
    return framesOf(this.raw, new FrameReader(Math.max(bytesMax, errorBytesMax)))
  }

  [Symbol.dispose] (): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.raw.abort(new Error('done'))
  }
}

async function pump<T> (stream: PeerStream, source: AsyncIterable<T>, codec: Codec<T>, bytesMax: number, signal: AbortSignal): Promise<void> {
  const writer = new FrameWriter(stream)
  for await (const item of untilGivenUp(source, { signal })) {
    const body = encodeValue(codec, item)
    const bytes = body.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (bytes > bytesMax) throw new ClusterError('ERR_INVALID_ARGUMENT', `an item of ${bytes} bytes: at most ${bytesMax} can be sent`)
    await writer.send(encodeFrame('item', 0, body), { signal })
  }
  await writer.send(encodeFrame('end', 0), { signal })
  await writer.flush({ signal })
}

/** Method and argument. @throws ClusterError ERR_INVALID_ARGUMENT */
function asking (method: RpcMethod, argument: readonly Uint8Array[]): readonly Uint8Array[] {
  const bytes = argument.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const { argumentBytesMax } = rpcMethods[method]
  if (bytes > argumentBytesMax) throw new ClusterError('ERR_INVALID_ARGUMENT', `${method}: an argument of ${bytes} bytes, at most ${argumentBytesMax} can be sent`)
  return [new ByteWriter(64).text(method).finish(), ...argument]
}

function expected (frame: Frame, kind: Frame['kind']): Uint8Array {
  if (frame.kind !== kind) throw new Error(`a frame of kind ${frame.kind} where ${kind} is expected`)
  return frame.body
}

/** What cannot be read is the other peer's failure. */
function readAnswer<T> (peer: PeerId, read: () => T): T {
  try {
    return read()
  } catch (err) {
    throw new ClusterError('ERR_PEER_FAILED', `${peer} gave an answer that cannot be read: ${(err as Error).message}`, { cause: err })
  }
}
