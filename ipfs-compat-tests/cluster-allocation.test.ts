/** Who is given a pin to hold, and what is said when nobody can be. */
import t from 'tap'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { allocationsOf, canChoose, heldBy, pinnedOn } from './harness/cluster-asking.ts'
import { eventually } from './harness/eventually.ts'
import { inlineCidOf } from './harness/pins.ts'
import { cleanEnv, runCtl, runService } from './harness/process.ts'
import { rpc, rpcResponse } from './harness/rpc.ts'

t.setTimeout(1_800_000)
/** A busy machine takes long; what is wrong would never be so. */
const patience = { timeoutMs: 120_000 }

const cluster = await startCluster(2, { settings: { CLUSTER_REPLICATIONFACTORMIN: '1', CLUSTER_REPLICATIONFACTORMAX: '2' } })
t.teardown(async () => { await cluster[Symbol.asyncDispose]() })
const [first, second] = cluster.peers as [TestPeer, TestPeer]

t.test('pins that a daemon had are adopted as pins of all peers, and given to those that have room', async t => {
  const cids = Array.from({ length: 3 }, (_, i) => inlineCidOf(`before the cluster ${i}`).toString())
  for (const cid of cids) await rpc(second.daemon, `pin/add?arg=${cid}`)
  await second.stop()

  const adopted = await runService(['--config', second.folder, 'state', 'adopt'], cleanEnv(second.settings))
  await second.start()

  t.match(adopted, { code: 0, out: /^[3-9] of the daemon's/ })
  for (const cid of cids) {
    t.ok(await eventually('the other has the pin', async () => (await allocationsOf(first)).has(cid), patience))
    await eventually('both hold it', async () => (await heldBy([first, second], cid)).length === 2, patience)
    t.ok(await pinnedOn(first, cid, [first, second]))
  }
})

t.test('a peer that is drained is let off all its pins and given no more, until that is stopped; where others are too few it is refused', async t => {
  const ctl = async (...args: readonly string[]): Promise<{ readonly code: number | null, readonly text: string }> => {
    const { code, out, err } = await runCtl(['--host', `/ip4/127.0.0.1/tcp/${new URL(second.rest).port}`, ...args])
    return { code, text: out + err }
  }
  const [both, later, again] = ['needs both', 'while it is drained', 'afterwards'].map(text => inlineCidOf(text).toString()) as [string, string, string]
  const pinOn = async (cid: string, factor: number): Promise<unknown> => (await (await fetch(`${second.rest}/pins/${cid}?replication-min=${factor}&replication-max=2`, { method: 'POST' })).json() as { allocations: unknown }).allocations
  await canChoose(second, [first, second])
  t.strictSame([...await pinOn(both, 2) as string[]].sort(), [first.id, second.id].sort())

  t.match(await ctl('peers', 'drain', first.id), { code: 2, text: new RegExp(`${first.id} cannot be drained: ${both} needs 2 peers, 1 would be left`) })
  await fetch(`${second.rest}/pins/${both}`, { method: 'DELETE' })
  t.match(await ctl('peers', 'drain', first.id), { code: 0, text: `${first.id} holds no pins of its own; take it out with: ipfs-cluster-ctl peers rm ${first.id}\n` })
  t.strictSame(await pinOn(later, 1), [second.id])
  t.match(await ctl('peers', 'drain', second.id), { code: 2, text: /is the only member that is not drained yet|cannot be drained/ })

  t.match(await ctl('peers', 'drain', '--stop', first.id), { code: 0, text: /is not being drained/ })
  await canChoose(second, [first, second])
  t.strictSame([...await pinOn(again, 1) as string[]].sort(), [first.id, second.id].sort())
})

t.test('a pin for which there are too few peers is refused alike by proxy, REST and ctl, with both numbers and why each peer is left out', async t => {
  const silent = first.id
  await second.stop()
  await second.start([], { CLUSTER_REPLICATIONFACTORMIN: '3', CLUSTER_REPLICATIONFACTORMAX: '3', CLUSTER_BALANCED_ALLOCATEBY: 'tag:room,freespace' })
  first.pause()
  t.teardown(() => { first.resume() })
  await eventually('the other is silent', async () => !(await (await fetch(`${second.rest}/monitor/metrics/ping`)).text()).includes(silent), patience)
  const cid = inlineCidOf('too few').toString()

  const byProxy = await rpcResponse(second.proxy, `pin/add?arg=${cid}`)
  const byRest = await fetch(`${second.rest}/pins/${cid}`, { method: 'POST' })
  const byCtl = await runCtl(['--host', `/ip4/127.0.0.1/tcp/${new URL(second.rest).port}`, 'pin', 'add', cid])

  const said = new RegExp(`not enough peers to allocate: needed 3, available 0; left out: (?=.*${silent}: silent)(?=.*${second.id}: unmeasured, tag:room is not known)`)
  t.match([byProxy.status, await byProxy.json()], [500, { Message: said, Code: 0, Type: 'error' }])
  t.match([byRest.status, await byRest.json()], [500, { code: 500, message: said }])
  t.match([byCtl.code, byCtl.out + byCtl.err], [2, said])
  t.ok(await eventually('it is in the log', () => /nobody measures what pins are allocated by .*"metric":"tag:room"/.test(second.process.err()), patience), 'and at the start it is said that nobody can be given one')
})
