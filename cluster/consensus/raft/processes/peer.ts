/**
 * One engine in a process of its own, for the harness and the benchmark:
 * `node peer.ts --folder F --id N --raft 127.0.0.1:P --client 127.0.0.1:P [--found CLUSTER] [--tick-ms 20] [--election-ticks 10] [--priority 0] [--snapshot-entries 2000] [--trailing-entries 500]`
 */
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { realDisk } from '../disk.ts'
import { encodeFrame, FrameReader } from '../frame.ts'
import { openLogStorage } from '../log-storage.ts'
import { monotonicClock } from '../monotonic-clock.ts'
import { createRaftNode } from '../node.ts'
import type { RaftNode } from '../raft-node.ts'
import { openPeerMemory } from '../peer-memory.ts'
import { foundCluster } from '../recovery.ts'
import { createTcpTransport } from '../tcp-transport.ts'
import { hostAndPort } from '../tcp-lane.ts'
import { cuttable } from './cuttable.ts'
import { decodeRequest, encodeAnswer } from './protocol.ts'
import type { Answer, Order, Request } from './protocol.ts'
import { createRegisterMachine, decodeAnswer } from './register-machine.ts'

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    id: { type: 'string' },
    raft: { type: 'string' },
    client: { type: 'string' },
    found: { type: 'string' },
    'tick-ms': { type: 'string', default: '20' },
    'election-ticks': { type: 'string', default: '10' },
    'snapshot-entries': { type: 'string', default: '2000' },
    'trailing-entries': { type: 'string', default: '500' },
    priority: { type: 'string', default: '0' },
    'request-ms': { type: 'string', default: '5000' },
    verbose: { type: 'boolean', default: false }
  }
})
const { folder, id, raft, client } = values
if (folder === undefined || id === undefined || raft === undefined || client === undefined) throw new Error('--folder, --id, --raft and --client are needed')

const requestMs = Number(values['request-ms'])
const storage = await openLogStorage({ folder, disk: realDisk, clock: monotonicClock, nodeId: Number(id) })
const machine = createRegisterMachine()
const self: { readonly name: string, readonly address: string } = { name: `peer-${id}`, address: raft }
const loopDelay = monitorEventLoopDelay({ resolution: 1 })
let node: RaftNode | undefined

const transport = cuttable(createTcpTransport({
  storage, memory: await openPeerMemory(realDisk, folder), self, clock: monotonicClock,
  confIndex: () => node?.bookkeeping().confIndex ?? 0,
  acknowledged: peer => node?.acknowledged(peer) ?? 0
}))

async function run (): Promise<void> {
  node = createRaftNode({
    storage, machine, transport, folder: folder!,
    log: (level, message) => { if (values.verbose || level !== 'info') process.stderr.write(`peer-${id} ${level}: ${message}\n`) }
  }, {
    tickMs: Number(values['tick-ms']),
    electionTicks: Number(values['election-ticks']),
    priority: Number(values.priority),
    snapshots: { thresholdEntries: Number(values['snapshot-entries']), trailingEntries: Number(values['trailing-entries']) }
  })
  void node.ended.then(reason => { process.exit(reason === undefined ? 0 : 70) })
  await node.start()
}

async function carryOut (order: Order): Promise<unknown> {
  const signal = AbortSignal.timeout(20_000)
  if (order.do === 'identity') return storage.identity
  const { membership } = node!
  switch (order.do) {
    case 'status': return node!.status()
    case 'dump': return { digest: machine.digest().toString(16), applied: node!.bookkeeping().index, size: machine.size }
    case 'loop-delay': {
      loopDelay.enable() // from the first question on: it wakes the process a thousand times a second
      const seen = { p50: loopDelay.percentile(50) / 1e6, p99: loopDelay.percentile(99) / 1e6, max: loopDelay.max / 1e6 }
      loopDelay.reset()
      return seen
    }
    case 'add': await membership.add(order.member, { signal, asLearner: order.asLearner ?? false }); return {}
    case 'remove': await membership.remove(order.id, { signal }); return {}
    case 'replace': await membership.replace(order.id, order.member, { signal }); return {}
    case 'transfer': await node!.transferLeadership(order.id, { signal }); return {}
    case 'cut': transport.cut(order); return {}
    case 'stop': await node![Symbol.asyncDispose](); return {}
  }
}

/** Shared by the requests of a moment: a timer each would cost more than the requests. */
let shared: { readonly signal: AbortSignal, readonly madeMs: number } | undefined
function deadline (): AbortSignal {
  const nowMs = performance.now()
  if (shared === undefined || nowMs - shared.madeMs > requestMs / 10) shared = { signal: AbortSignal.timeout(requestMs), madeMs: nowMs }
  return shared.signal
}

async function answer (request: Request): Promise<Answer> {
  if (request.kind === 'admin') return { kind: 'json', json: JSON.stringify(await carryOut(request.order)) }
  const signal = deadline()
  switch (request.kind) {
    case 'write': {
      const { answer } = await node!.propose(request.data, { signal, ...request.id === undefined ? {} : { id: request.id } })
      return { kind: 'value', value: decodeAnswer(answer) }
    }
    case 'write-many':
      await Promise.all(request.data.map(data => node!.propose(data, { signal })))
      return { kind: 'value', value: request.data.length }
    case 'read':
      await node!.readBarrier({ signal })
      return { kind: 'value', value: machine.get(request.key) }
    case 'open-session': return { kind: 'value', value: await node!.openSession({ signal }) }
  }
}

function serve (socket: Socket): void {
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

if (values.found !== undefined && storage.identity.clusterId === undefined) await foundCluster(storage, values.found, self)
await run()
createServer(serve).listen(hostAndPort(client), () => { process.stdout.write('ready\n') })
process.on('SIGTERM', () => { void node?.[Symbol.asyncDispose]() })
