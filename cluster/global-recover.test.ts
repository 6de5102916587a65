import t from 'tap'
import { cidOf, pinOf } from '../ipfs-compat-tests/harness/pins.ts'
import type { GlobalPinInfo, PinInfo } from './api/pin-info.ts'
import type { PeerId } from './api/pin.ts'
import { FakeClock } from './clock.ts'
import { recoverOnAll } from './global-recover.ts'
import type { GlobalRecoverComponents } from './global-recover.ts'
import { createMemoryState } from './state/memory-state.ts'

const { signal } = new AbortController()
const [a, b] = ['a', 'b'] as unknown as readonly [PeerId, PeerId]
const infoOf = (peer: PeerId, seed: number): PinInfo => ({ cid: cidOf(seed), name: '', peer, status: 'pin_queued', timestampMs: 1, error: '', attemptCount: 1, isPriority: false })
const parts = (ask: GlobalRecoverComponents['ask']): GlobalRecoverComponents & { readonly clock: FakeClock } =>
  ({ peerset: () => [a, b], state: createMemoryState(), ask, clock: new FakeClock() })

/** All lines as `<peer><seed>`, and the error they ended with. */
async function linesOf (lines: AsyncIterable<GlobalPinInfo>): Promise<{ readonly lines: readonly string[], readonly error: unknown }> {
  const taken: string[] = []
  try {
    for await (const { cid, peers: [info] } of lines) taken.push(`${info!.peer}${[1, 2, 3].find(seed => cidOf(seed).equals(cid))!}`)
    return { lines: taken.sort(), error: undefined }
  } catch (error) {
    return { lines: taken.sort(), error }
  }
}

t.test('all members recover at the same time, and each line has what the pinset knows', async t => {
  const given = parts(async function * (peer) { yield infoOf(peer, 1) })
  await (given.state as ReturnType<typeof createMemoryState>).apply([{ ops: [{ kind: 'pin', pin: pinOf(1) }], index: 1n }])

  const lines = await Array.fromAsync(recoverOnAll(given, { signal }))

  t.match(lines, [{ name: 'pin 1', peers: [{ status: 'pin_queued' }] }, { name: 'pin 1' }])
  t.strictSame(lines.map(({ peers }) => peers[0]!.peer).sort(), [a, b])
})

t.test('who fails is told of after the lines of the others', async t => {
  const given = parts(async function * (peer) {
    if (peer === a) throw new Error('refused')
    yield * [infoOf(peer, 1), infoOf(peer, 2)]
  })

  t.match(await linesOf(recoverOnAll(given, { signal })), { lines: ['b1', 'b2'], error: { code: 'ERR_PEER_FAILED', message: 'not all peers could recover their pins: a: refused' } })
})

t.test('who reads slowly is waited for, and who leaves ends it everywhere', async t => {
  let given = 0
  let open = 0
  const lines = recoverOnAll(parts(async function * (peer) {
    open++
    try {
      for (let i = 0; i < 10_000; i++) {
        given++
        yield infoOf(peer, 1)
      }
    } finally {
      open--
    }
  }), { signal })

  await lines.next()
  await new Promise(resolve => setImmediate(resolve))
  t.ok(given < 100, `${given} were taken`)
  await lines.return()

  t.equal(open, 0)
})

t.test('a signal that aborts is the reason it ends with', async t => {
  const leaving = new AbortController()
  const lines = linesOf(recoverOnAll(parts(async function * (peer) {
    yield infoOf(peer, 1)
    await new Promise(() => {})
  }), { signal: leaving.signal }))

  leaving.abort(new Error('the client went away'))

  t.match(await lines, { error: { message: 'the client went away' } })
})
