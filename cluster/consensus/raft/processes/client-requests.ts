import type { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { encodeFrame, FrameReader } from '../frame.ts'
import type { Member } from '../members.ts'
import type { RaftNode } from '../raft-node.ts'
import type { CuttableTransport } from './cuttable.ts'
import { decodeRequest, encodeAnswer } from './protocol.ts'
import type { Answer, Order, Request } from './protocol.ts'
import { decodeAnswer } from './register-machine.ts'
import type { RegisterMachine } from './register-machine.ts'

export interface RequestParts {
  readonly node: RaftNode
  readonly machine: RegisterMachine
  readonly transport: CuttableTransport
  /** This peer, as the membership is to name it. */
  readonly member: Member
  /** After so long a request is given up. */
  readonly requestMs: number
}

/** Answers what clients and the harness ask of an engine process. */
export function createRequests (parts: RequestParts): (request: Request) => Promise<Answer> {
  const { node, machine, requestMs } = parts
  const carryOut = createOrders(parts)

  /** Shared by the requests of a moment: a timer each would cost more than the requests. */
  let shared: { readonly signal: AbortSignal, readonly madeMs: number } | undefined
  function deadline (): AbortSignal {
    const nowMs = performance.now()
    if (shared === undefined || nowMs - shared.madeMs > requestMs / 10) shared = { signal: AbortSignal.timeout(requestMs), madeMs: nowMs }
    return shared.signal
  }

  return async request => {
    if (request.kind === 'admin') return { kind: 'json', json: JSON.stringify(await carryOut(request.order)) }
    const signal = deadline()
    switch (request.kind) {
      case 'write': {
        const { answer } = await node.propose(request.data, { signal, ...request.id === undefined ? {} : { id: request.id } })
        return { kind: 'value', value: decodeAnswer(answer) }
      }
      case 'write-many':
        await Promise.all(request.data.map(data => node.propose(data, { signal })))
        return { kind: 'value', value: request.data.length }
      case 'read':
        await node.readBarrier({ signal })
        return { kind: 'value', value: machine.get(request.key) }
      case 'open-session': return { kind: 'value', value: await node.openSession({ signal }) }
    }
  }
}

function createOrders ({ node, machine, transport, member }: RequestParts): (order: Order) => Promise<unknown> {
  const loopDelay = monitorEventLoopDelay({ resolution: 1 })
  const { membership } = node
  return async order => {
    const signal = AbortSignal.timeout(20_000)
    switch (order.do) {
      case 'member': return member
      case 'status': return node.status()
      case 'dump': return { digest: machine.digest().toString(16), applied: node.bookkeeping().index, size: machine.size }
      case 'loop-delay': {
        loopDelay.enable() // from the first question on: it wakes the process a thousand times a second
        const seen = { p50: loopDelay.percentile(50) / 1e6, p99: loopDelay.percentile(99) / 1e6, max: loopDelay.max / 1e6 }
        loopDelay.reset()
        return seen
      }
      case 'add': await membership.add(order.member, { signal, asLearner: order.asLearner ?? false }); return {}
      case 'remove': await membership.remove(order.id, { signal }); return {}
      case 'replace': await membership.replace(order.id, order.member, { signal }); return {}
      case 'transfer': await node.transferLeadership(order.id, { signal }); return {}
      case 'cut': transport.cut(order); return {}
      case 'stop': await node[Symbol.asyncDispose](); return {}
    }
  }
}

/** Questions come in frames, each with a number; answers go back with it, in any order. */
export function serveClient (socket: Socket, answer: (request: Request) => Promise<Answer>): void {
  const reader = new FrameReader()
  let out: Uint8Array[] = []
  socket.setNoDelay(true)
  socket.on('error', () => {})
  const reply = (number: number, given: Answer): void => {
    // Answers of one moment leave in one write.
    if (out.length === 0) setImmediate(() => { socket.write(Buffer.concat(out)); out = [] })
    out.push(encodeFrame(encodeAnswer(number, given)))
  }
  socket.on('data', chunk => {
    for (const body of reader.push(chunk)) {
      const { number, request } = decodeRequest(body)
      answer(request).then(
        given => { reply(number, given) },
        err => { reply(number, { kind: 'error', code: err.code ?? err.name, message: err.message, leader: err.leader ?? 0 }) }
      )
    }
  })
}
