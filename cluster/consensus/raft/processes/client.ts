/** A connection to an engine process: many questions under way, each answered once or failed when the connection goes. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { encodeFrame, FrameReader } from '../frame.ts'
import { hostAndPort } from '../tcp-lane.ts'
import { decodeAnswerFrame, encodeRequest } from './protocol.ts'
import type { Answer, Order, Request } from './protocol.ts'

/** The answer never came: the connection broke, or nobody listens. */
export class NoAnswerError extends Error {
  readonly code = 'NO_ANSWER'
  /** Nothing can have happened: it was not even sent. */
  readonly unsent: boolean
  constructor (unsent: boolean) { super('no answer'); this.unsent = unsent }
}

export interface Client extends Disposable {
  ask (request: Request): Promise<Answer>
  /** @throws Error with the code of the other side */
  order (order: Order): Promise<any>
}

export function openClient (address: string): Client {
  const waiting = new Map<number, PromiseWithResolvers<Answer>>()
  let number = 0
  let socket: Socket | undefined
  let out: Uint8Array[] = []
  let closed = false

  function reach (): Socket {
    if (socket !== undefined) return socket
    const opened = connect({ ...hostAndPort(address), noDelay: true })
    const reader = new FrameReader()
    let connected = false
    socket = opened
    opened.on('connect', () => { connected = true })
    opened.on('data', chunk => {
      for (const body of reader.push(chunk)) {
        const { number, answer } = decodeAnswerFrame(body)
        waiting.get(number)?.resolve(answer)
        waiting.delete(number)
      }
    })
    opened.on('error', () => {})
    opened.on('close', () => {
      socket = undefined
      out = []
      for (const { reject } of waiting.values()) reject(new NoAnswerError(!connected))
      waiting.clear()
    })
    return opened
  }

  async function ask (request: Request): Promise<Answer> {
    if (closed) throw new NoAnswerError(true)
    const to = reach()
    const answer = Promise.withResolvers<Answer>()
    waiting.set(++number, answer)
    if (out.length === 0) setImmediate(() => { if (out.length > 0) to.write(Buffer.concat(out)); out = [] })
    out.push(encodeFrame(encodeRequest(number, request)))
    return await answer.promise
  }

  return {
    ask,
    async order (order) {
      const answer = await ask({ kind: 'admin', order })
      if (answer.kind === 'error') throw Object.assign(new Error(answer.message), { code: answer.code, leader: answer.leader })
      return answer.kind === 'json' ? JSON.parse(answer.json) : answer.value
    },
    [Symbol.dispose] () {
      closed = true
      socket?.destroy()
    }
  }
}
