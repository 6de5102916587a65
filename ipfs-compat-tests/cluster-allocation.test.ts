/** Who is given a pin to hold, and what is said when nobody can be. */
import { randomBytes } from 'node:crypto'
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

t.test('pins that lie where less room is left move to who has more, as planned, and are there afterwards', async t => {
  const ask = async (query: string): Promise<readonly { readonly cid: string, readonly from: string, readonly to: string, readonly state: string }[]> => {
    const response = await fetch(`${second.rest}/rebalance?stream-error=line${query}`, { method: 'POST' })
    const lines = (await response.text()).split('\n').filter(line => line !== '').map(line => JSON.parse(line))
    return response.ok && lines.every(({ code }) => code === undefined) ? lines : []
  }
  const cids: string[] = []
  for (let i = 0; i < 6; i++) {
    const form = new FormData()
    form.append('file', new Blob([randomBytes(1 << 20)]))
    const added = await (await fetch(`${second.rest}/add?replication=1&user-allocations=${first.id}`, { method: 'POST', body: form })).json() as { cid: string }
    cids.push(added.cid)
  }
  for (const cid of cids) t.strictSame(await heldBy([first, second], cid), [first])

  // While the peers have not measured anew, or one was late to say that it is there, nothing is to be moved.
  await eventually('some would be moved', async () => (await ask('&dry-run=true')).some(({ cid }) => cids.includes(cid)), { timeoutMs: 600_000, intervalMs: 1_000 })
  const moved: string[] = []
  await eventually('some are moved', async () => {
    const moves = (await ask(`&rate=${1 << 30}`)).filter(({ cid }) => cids.includes(cid))
    for (const { from, to } of moves) t.strictSame([from, to], [first.id, second.id])
    moved.push(...moves.filter(({ state }) => state === 'moved').map(({ cid }) => cid))
    return moved.length > 0
  }, { timeoutMs: 600_000, intervalMs: 1_000 })

  for (const cid of cids) {
    await eventually('who is to hold it does, and nobody else', async () => {
      const { allocations } = await (await fetch(`${second.rest}/allocations/${cid}`)).json() as { readonly allocations: readonly string[] }
      return allocations.length === 1 && (await heldBy([first, second], cid)).map(({ id }) => id).join() === allocations.join()
    }, patience)
  }
  t.ok((await heldBy([second], moved[0]!)).length === 1)
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
