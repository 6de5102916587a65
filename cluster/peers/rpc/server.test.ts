import t from 'tap'
import { createIdentity } from '../../config/identity.ts'
import { FakeClock } from '../../clock.ts'
import { silentLogger } from '../../log.ts'
import { ByteWriter } from '../../api/byte-writer.ts'
import { decodeError } from './error-codec.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import type { Frame } from './frame.ts'
import { memoryStreamPair } from './memory-streams.ts'
import { callsMax } from './protocols.ts'
import { RpcServer } from './server.ts'
import type { RpcServerComponents } from './server.ts'

type RpcHandlers = RpcServerComponents['handlers']
type RpcCaller = Parameters<RpcHandlers['IpfsConnector.SwarmAddresses']>[1]

const [asker, answerer] = [createIdentity().id, createIdentity().id]
const ask = (id: number): readonly Uint8Array[] => encodeFrame('ask', id, [new ByteWriter().text('IpfsConnector.SwarmAddresses').finish()])
const untilAborted = async (_: unknown, { signal }: RpcCaller): Promise<never> => await new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) })

function setUp (handler: RpcHandlers['IpfsConnector.SwarmAddresses']) {
  const clock = new FakeClock()
  const server = new RpcServer({ handlers: { 'IpfsConnector.SwarmAddresses': handler } as RpcHandlers, trustOf: () => 'writer', clock, log: silentLogger })
  const [near, far] = memoryStreamPair(asker, answerer)
  server.serveCalls(far)
  const reader = new FrameReader(1_000_000)
  const frames = async function * (): AsyncGenerator<Frame> { for await (const bytes of near.received) yield * reader.push(bytes) }
  return { clock, server, near, frames: frames() }
}

t.test('who asks for more at once than is allowed is refused the rest, and served again when there is room', async t => {
  const { server, near, frames } = setUp(untilAborted)
  for (let id = 1; id <= callsMax + 1; id++) near.write(...ask(id))

  const { value: refused } = await frames.next()
  near.write(...encodeFrame('cancel', 5), ...ask(callsMax + 2), ...ask(callsMax + 3))
  const { value: again } = await frames.next()

  t.match(decodeError(refused!.body), { code: 'ERR_QUEUE_FULL' })
  t.equal(refused!.id, callsMax + 1)
  t.match(again, { kind: 'error' })
  near.abort(new Error('over'))
  await server[Symbol.asyncDispose]()
})

t.test('a call that takes longer than its method may is ended here too', async t => {
  const { clock, server, near, frames } = setUp(untilAborted)
  near.write(...ask(1))
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))

  clock.advance(30_000)
  const { value: answer } = await frames.next()

  t.match(decodeError(answer!.body), { code: 'ERR_TIMEOUT', message: /^IpfsConnector.SwarmAddresses took longer than 30000 ms/ })
  near.abort(new Error('over'))
  await server[Symbol.asyncDispose]()
})

t.test('a caller that never reads its answers piles up no more than so many of them', async t => {
  let answered = 0
  const { server, near } = setUp(async () => { answered++; return ['x'.repeat(60_000)] })
  for (let id = 1; id <= 20 * callsMax; id++) near.write(...ask(id))

  for (let i = 0; i < 2_000; i++) await new Promise(resolve => setImmediate(resolve))

  t.ok(answered <= callsMax + 64, `${answered} answers were made`)
  near.abort(new Error('over'))
  await server[Symbol.asyncDispose]()
})
