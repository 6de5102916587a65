import { ClusterError } from '../../api/errors.ts'
import type { PeerStream } from '../../peer-ports.ts'
import type { AbortOptions } from '../../ports.ts'
import { reasonOf } from '../reason.ts'
import { decodeError } from './error-codec.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { FrameWriter } from './frame-writer.ts'
import { framesOf } from './protocols.ts'

type Answer = PromiseWithResolvers<Uint8Array>

/** The asking side of a stream that calls share. Answers come in whatever order they are ready. */
export class CallLink {
  readonly #stream: PeerStream
  readonly #writer: FrameWriter
  readonly #waiting = new Map<number, Answer>()
  /** Resolves when the stream has ended and every call has been told. */
  readonly ended: Promise<void>
  #lastId = 0

  constructor (stream: PeerStream, answerBytesMax: number) {
    this.#stream = stream
    this.#writer = new FrameWriter(stream)
    this.ended = this.#read(answerBytesMax)
  }

  /** @throws what the other side threw; ClusterError ERR_PEER_FAILED when the stream ends first; the signal's reason, and then the other side is told */
  async ask (body: readonly Uint8Array[], { signal }: AbortOptions): Promise<Uint8Array> {
    signal.throwIfAborted()
    this.#stream.closed.throwIfAborted()
    const id = ++this.#lastId
    const answer: Answer = Promise.withResolvers()
    this.#waiting.set(id, answer)
    const giveUp = (): void => {
      if (this.#waiting.has(id)) this.#stream.write(...encodeFrame('cancel', id))
      answer.reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      answer.promise.catch(() => {}) // it is awaited below, if the sending succeeds
      await this.#writer.send(encodeFrame('ask', id, body), { signal })
      return await answer.promise
    } finally {
      signal.removeEventListener('abort', giveUp)
      this.#waiting.delete(id)
    }
  }

  async #read (answerBytesMax: number): Promise<void> {
    try {
      for await (const { kind, id, body } of framesOf(this.#stream, new FrameReader(answerBytesMax))) {
        const answer = this.#waiting.get(id) // none: it was given up
        if (kind === 'result') answer?.resolve(body)
        if (kind === 'error') answer?.reject(decodeError(body))
      }
    } catch (err) {
      const error = err instanceof ClusterError && err.code === 'ERR_PEER_FAILED' ? err : new ClusterError('ERR_PEER_FAILED', `${this.#stream.peer}: ${reasonOf(err)}`, { cause: err })
      this.#stream.abort(error)
      for (const answer of this.#waiting.values()) answer.reject(error)
    }
  }
}
