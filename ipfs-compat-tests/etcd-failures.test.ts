/** An etcd of three members, of which one fails while pins are being agreed on. */
import t from 'tap'
import { startEtcd, withoutEtcd } from './harness/etcd.ts'
import { startEtcdPeer } from './harness/etcd-peer.ts'
import type { EtcdPeer } from './harness/etcd-peer.ts'
import { eventually } from './harness/eventually.ts'
import { cidOf, other, pinOf } from './harness/pins.ts'

t.setTimeout(1_800_000)
const { signal } = new AbortController()
const writersAtOnce = 8

/** Pins as fast as it can until told to stop. What was acknowledged, and what was refused. */
function load (peer: EtcdPeer, name: string): { readonly acknowledged: Map<string, bigint>, readonly refused: unknown[], stop (): Promise<void> } {
  const acknowledged = new Map<string, bigint>()
  const refused: unknown[] = []
  let isOver = false
  let next = 0
  const writers = Array.from({ length: writersAtOnce }, async () => {
    while (!isOver) {
      const seed = `${name} ${next++}`
      try {
        acknowledged.set(seed, await peer.consensus.log([{ kind: 'pin', pin: pinOf(seed), ifRevision: 0n }], { signal }))
      } catch (err) {
        refused.push(err)
      }
    }
  })
  return {
    acknowledged,
    refused,
    async stop () {
      isOver = true
      await Promise.all(writers)
    }
  }
}

t.test('members of etcd are killed and paused while pins are agreed on: none that was acknowledged is lost, and none refused', { skip: withoutEtcd }, async t => {
  await using etcd = await startEtcd({ size: 3 })
  const more = { request_timeout: '1s', commit_timeout: '120s' }
  await using a = await startEtcdPeer({ endpoints: etcd.endpoints, more })
  await using b = await startEtcdPeer({ endpoints: [...etcd.endpoints].reverse(), more, peer: other })
  const loads = [load(a, 'a'), load(b, 'b')] as const
  const more10 = async (): Promise<void> => {
    const before = loads.map(({ acknowledged }) => acknowledged.size)
    await eventually('both go on', () => loads.every(({ acknowledged }, i) => acknowledged.size >= before[i]! + 20))
  }

  await more10()
  const killed = await etcd.leader()
  await killed.kill()
  await more10()
  killed.start()
  await eventually('it is back', async () => await etcd.leader())
  const paused = await etcd.leader()
  paused.signal('SIGSTOP')
  await more10()
  paused.signal('SIGCONT')
  await more10()
  for (const { stop } of loads) await stop()

  t.strictSame(loads.flatMap(({ refused }) => refused.map(err => (err as Error).message)), [])
  const all = new Map(loads.flatMap(({ acknowledged }) => [...acknowledged]))
  const last = [...all.values()].reduce((a, b) => a > b ? a : b)
  await eventually('both have all', () => a.state.appliedIndex() >= last && b.state.appliedIndex() >= last)
  t.equal(a.state.digest(), b.state.digest())
  const wrong: string[] = []
  for (const [seed, revision] of all) if ((await a.state.get(cidOf(seed)))?.revision !== revision) wrong.push(seed)
  t.strictSame(wrong, [])
  t.equal(await b.state.count(), all.size)
  t.comment(`${all.size} pins`)
})
