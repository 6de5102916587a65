/** Who leads, as an operator sets it and sees it in the log. */
import t from 'tap'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { eventually } from './harness/eventually.ts'

t.setTimeout(1_800_000)

/** Since its last start. */
const hasLed = (peer: TestPeer): boolean => /(?<!no )leader in term \d/.test(peer.process.err())

t.test('of the peers that are left the preferred one leads, and has the lead back when it was away', async t => {
  await using cluster = await startCluster(1)
  const [first] = cluster.peers as [TestPeer]
  const last = await cluster.another({ CLUSTER_RAFT_ELECTIONPRIORITY: '8' })
  const second = await cluster.another()
  for (const peer of [last, second]) await peer.start(['--bootstrap', first.address])

  await first.kill()
  await eventually('the preferred one of two leads', async () => hasLed(second))
  t.notOk(hasLed(last))
  await first.start()
  await second.kill()
  await eventually('the preferred one of two leads again', async () => hasLed(first))
  t.notOk(hasLed(last))
})
