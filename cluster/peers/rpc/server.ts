import { createBackground } from '../../async/background.ts'
import type { Background } from '../../async/background.ts'
import { deadline } from '../../async/deadline.ts'
import { joinSignals } from '../../async/join-signals.ts'
import { ByteReader } from '../../api/byte-reader.ts'
import { ClusterError } from '../../api/errors.ts'
import type { PeerId } from '../../api/pin.ts'
import type { Clock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import type { PeerStream, RpcCaller, RpcHandlers, RpcMethod } from '../../peer-ports.ts'
import { decodeValue, encodeValue } from './codec.ts'
import { encodeError } from './error-codec.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import type { Frame } from './frame.ts'
import { FrameWriter } from './frame-writer.ts'
import { isMethod, rpcMethods } from './methods.ts'
import type { MethodRules } from './methods.ts'
import { mayCall } from './policy.ts'
import type { Trust } from './policy.ts'
import { callsMax, framesOf, streamsMax } from './protocols.ts'

export interface RpcServerComponents {
  readonly handlers: RpcHandlers
  readonly trustOf: (peer: PeerId) => Trust
  readonly clock: Clock
  readonly log: Logger
}

type AnyHandler = (argument: unknown, caller: RpcCaller) => Promise<unknown> & AsyncIterable<unknown>
const methodBytesMax = 256
const askBytesMax = methodBytesMax + Math.max(...Object.values(rpcMethods).filter(({ shape }) => shape === 'call').map(({ argumentBytesMax }) => argumentBytesMax))

/** The answering side: who may ask is settled before an argument is read. */
export class RpcServer implements AsyncDisposable {
  readonly #with: RpcServerComponents
  readonly #streams = new Set<PeerStream>()
  readonly #working: Background

  constructor (components: RpcServerComponents) {
    this.#with = components
    this.#working = createBackground(err => { components.log.debug('a call ended', { error: err }) })
  }

  /** Calls that share a stream. */
  serveCalls (stream: PeerStream): void { this.#own(stream, async () => { await this.#takeCalls(stream) }) }

  /** One pull or push. */
  serveStream (stream: PeerStream): void { this.#own(stream, async () => { await this.#takeStream(stream) }) }

  async [Symbol.asyncDispose] (): Promise<void> {
    for (const stream of this.#streams) stream.abort(new ClusterError('ERR_PEER_FAILED', 'this peer is stopping'))
    await this.#working[Symbol.asyncDispose]()
  }

  #own (stream: PeerStream, work: () => Promise<void>): void {
    const ofThisPeer = [...this.#streams].filter(({ peer }) => peer === stream.peer).length
    if (ofThisPeer >= streamsMax) { stream.abort(new Error('too many streams at once')); return }
    this.#streams.add(stream)
    this.#working.run(work().catch(err => { // garbage, or the other side is gone
      this.#with.log.debug('a stream of calls ended', { peer: stream.peer, error: err })
      stream.abort(err as Error)
    }).finally(() => this.#streams.delete(stream)))
  }

  async #takeCalls (stream: PeerStream): Promise<void> {
    const running = new Map<number, AbortController>()
    const writer = new FrameWriter(stream)
    const answer = async (frame: Frame, controller: AbortController): Promise<void> => {
      using either = joinSignals(controller.signal, stream.closed)
      const said = await this.#callSafely(frame, { peer: stream.peer, signal: either.signal })
      // Counts as running until the stream has room: who asks and does not read has its calls refused, not piled up.
      if (!controller.signal.aborted) await writer.send(said, { signal: stream.closed })
      running.delete(frame.id)
    }
    for await (const frame of framesOf(stream, new FrameReader(askBytesMax))) {
      if (frame.kind === 'cancel') running.get(frame.id)?.abort(givenUpError(stream.peer))
      if (frame.kind !== 'ask') continue
      if (running.size >= callsMax || running.has(frame.id)) {
        await writer.send(encodeFrame('error', frame.id, [encodeError(new ClusterError('ERR_QUEUE_FULL', `more than ${callsMax} calls at once`))]), { signal: stream.closed })
        continue
      }
      const controller = new AbortController()
      running.set(frame.id, controller)
      this.#working.run(answer(frame, controller))
    }
  }

  async #callSafely ({ id, body }: Frame, caller: RpcCaller): Promise<readonly Uint8Array[]> {
    try {
      const { method, rest } = this.#admit(body, caller.peer, 'call')
      const rules = rulesOf(method)
      const argument = decoded(rules, rest)
      using limit = deadline(this.#with.clock, rules.timeoutMs, method, caller.signal)
      const result = await this.#handler(method)(argument, { ...caller, signal: limit.signal })
      return encodeFrame('result', id, this.#within(method, encodeValue(rules.result, result)))
    } catch (err) {
      return encodeFrame('error', id, [encodeError(err)])
    }
  }

  async #takeStream (stream: PeerStream): Promise<void> {
    const reader = new FrameReader(askBytesMax)
    const frames = framesOf(stream, reader)
    const writer = new FrameWriter(stream)
    const caller: RpcCaller = { peer: stream.peer, signal: stream.closed }
    const asked = await frames.next()
    if (asked.done === true || asked.value.kind !== 'ask') throw new Error('expected a frame that asks')
    let end: readonly Uint8Array[]
    try {
      const { method, rest } = this.#admit(asked.value.body, stream.peer, 'stream')
      const rules = rulesOf(method)
      reader.bytesMax = rules.argumentBytesMax
      if (rules.shape === 'push') {
        const result = await this.#handler(method)(itemsOf(frames, rules), caller)
        end = encodeFrame('result', 0, this.#within(method, encodeValue(rules.result, result)))
      } else {
        for await (const value of this.#handler(method)(decoded(rules, rest), caller)) {
          await writer.send(encodeFrame('item', 0, this.#within(method, encodeValue(rules.result, value))), caller)
        }
        end = encodeFrame('end', 0)
      }
    } catch (err) {
      end = encodeFrame('error', 0, [encodeError(err)])
    }
    if (stream.closed.aborted) return
    await writer.send(end, caller)
    await writer.flush(caller)
    await endOf(stream) // the caller ends it when it has read all of it
  }

  #admit (body: Uint8Array, peer: PeerId, shape: 'call' | 'stream'): { readonly method: RpcMethod, readonly rest: Uint8Array } {
    const from = new ByteReader(body)
    const method = from.text().slice(0, methodBytesMax)
    if (!isMethod(method) || (rpcMethods[method].shape === 'call') !== (shape === 'call')) throw new ClusterError('ERR_PEER_FAILED', `no method ${JSON.stringify(method)}: is the other peer of another version?`)
    const trust = this.#with.trustOf(peer)
    if (!mayCall(method, trust)) throw new ClusterError(trust === 'open' ? 'ERR_PEER_FAILED' : 'ERR_STORES_ONLY', `${peer} may not call ${method}: to this peer it is ${trust === 'open' ? 'no member of the cluster' : 'a member that only stores'}`)
    return { method, rest: from.rest() }
  }

  #handler (method: RpcMethod): AnyHandler {
    return this.#with.handlers[method] as unknown as AnyHandler
  }

  #within (method: RpcMethod, pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    const bytes = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (bytes <= rpcMethods[method].resultBytesMax) return pieces
    throw new ClusterError('ERR_PEER_FAILED', `${method}: an answer of ${bytes} bytes, at most ${rpcMethods[method].resultBytesMax} may be sent`)
  }
}

/** The rules of whichever method: the pairing of method and value is checked where callers and handlers are typed. */
type AnyRules = MethodRules<RpcMethod> & { readonly argument: { read (from: ByteReader): unknown }, readonly result: { write (to: unknown, value: unknown): void } }
const rulesOf = (method: RpcMethod): AnyRules => rpcMethods[method] as unknown as AnyRules

function decoded (rules: AnyRules, bytes: Uint8Array): unknown {
  if (bytes.byteLength > rules.argumentBytesMax) throw new ClusterError('ERR_INVALID_ARGUMENT', `an argument of ${bytes.byteLength} bytes: at most ${rules.argumentBytesMax} are taken`)
  try {
    return decodeValue(rules.argument, bytes)
  } catch (err) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `an argument that cannot be read: ${(err as Error).message}`, { cause: err })
  }
}

async function * itemsOf (frames: AsyncGenerator<Frame, void, undefined>, rules: AnyRules): AsyncGenerator<unknown, void, undefined> {
  for await (const { kind, body } of { [Symbol.asyncIterator]: () => ({ next: async () => await frames.next() }) }) { // `frames` outlives the loop
    if (kind === 'end') return
    if (kind !== 'item') throw new ClusterError('ERR_INVALID_ARGUMENT', `a frame of kind ${kind} among items`)
    yield decoded(rules, body)
  }
}

async function endOf ({ closed }: PeerStream): Promise<void> {
  if (closed.aborted) return
  await new Promise(resolve => { closed.addEventListener('abort', resolve, { once: true }) })
}

const givenUpError = (peer: PeerId): ClusterError => new ClusterError('ERR_PEER_FAILED', `${peer} does not want the answer any more`)
