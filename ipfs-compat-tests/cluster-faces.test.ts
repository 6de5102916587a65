/** What REST API and ipfs-cluster-ctl say of several peers. */
import t from 'tap'
import { addThrough, agreeOnMembers, canChoose, heldBy, pinnedOn } from './harness/cluster-asking.ts'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { eventually } from './harness/eventually.ts'
import { runCtl } from './harness/process.ts'

t.setTimeout(1_800_000)

const cluster = await startCluster(3)
t.teardown(() => cluster[Symbol.asyncDispose]())
const [first, second, third] = cluster.peers as [TestPeer, TestPeer, TestPeer]
const ids = cluster.peers.map(({ id }) => id)
const gone = third.id
const cid = await addThrough(first, 'seen from all sides')
for (const peer of cluster.peers) await pinnedOn(peer, cid, cluster.peers)
await agreeOnMembers(cluster.peers, ids)

const ctl = async ({ rest }: TestPeer, ...args: string[]) => await runCtl(['--host', `/ip4/127.0.0.1/tcp/${new URL(rest).port}`, ...args])

async function linesOf ({ rest }: TestPeer, path: string, method = 'GET'): Promise<any[]> {
  const text = await (await fetch(`${rest}${path}`, { method })).text()
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}

t.test('peers ls shows every member, and where the others are reached', async t => {
  const listed = await linesOf(first, '/peers')

  t.strictSame(listed.map(({ id }) => id).sort(), [...ids].sort())
  t.match((await ctl(second, 'peers', 'ls')).out.match(/Sees 2 other peers/g), { length: 3 })
  t.ok(await eventually('all addresses are known', async () => String((await linesOf(first, '/id'))[0].cluster_peers_addresses.sort()) === String([second.address, third.address].sort())))
})

t.test('an add tells the peers that were given the content', async t => {
  for (const content of ['one', 'two', 'three', 'four']) {
    const body = new FormData()
    body.append('file', new Blob([content]), content)
    const { cid, allocations } = await (await fetch(`${first.rest}/add?replication=1`, { method: 'POST', body })).json() as { cid: string, allocations: string[] }

    t.strictSame(allocations, (await linesOf(first, `/allocations/${cid}`))[0].allocations)
    t.equal((await ctl(first, 'pin', 'rm', cid)).code, 0)
    await eventually('it is gone from all', async () => (await heldBy(cluster.peers, cid)).length === 0)
  }
})

t.test('local asks the one peer, and its daemon alone collects', async t => {
  t.strictSame(Object.keys((await linesOf(second, `/pins/${cid}?local=true`))[0].peer_map), [second.id])
  const ofSecond = async (): Promise<readonly string[][]> => (await linesOf(second, '/pins?local=true')).map(({ peer_map: peers }) => Object.keys(peers))
  t.ok(await eventually('what was removed before is not told any more', async () => JSON.stringify(await ofSecond()) === JSON.stringify([[second.id]])))
  t.strictSame(Object.keys((await linesOf(second, '/ipfs/gc?local=true', 'POST'))[0].peer_map), [second.id])
  t.strictSame(Object.keys((await linesOf(second, '/ipfs/gc', 'POST'))[0].peer_map).sort(), [...ids].sort())
})

t.test('the graph shows the links between peers and between their daemons', async t => {
  const isWhole = await eventually('all daemons are connected', async () => {
    const [{ cluster_links: links, ipfs_links: swarm, cluster_to_ipfs: daemons }] = await linesOf(first, '/health/graph')
    const others = (id: string): string[] => ids.filter(other => other !== id).sort()
    return ids.every(id => [...links[id]].sort().join() === others(id).join() && others(id).every(other => swarm[daemons[id]].includes(daemons[other])))
  })

  t.ok(isWhole)
})

t.test('metrics of all peers are told by each, and the reasons for an allocation', async t => {
  await canChoose(second, cluster.peers)

  t.ok(await eventually('each is told of once, in order', async () => (await linesOf(second, '/monitor/metrics/ping'))[0].map(({ peer }: { peer: string }) => peer).join() === [...ids].sort().join()))
  t.match((await linesOf(second, `/allocations/${cid}/reasons`))[0], ids.map(() => ({ chosen: true, why: 'everywhere' })))
})

t.test('a peer that dies raises an alert, and is removed through a peer that need not lead', async t => {
  await third.kill()

  const alert = new RegExp(`^${gone}: ping\\. Expired at: `, 'm')
  await eventually('there is an alert', async () => alert.test((await ctl(second, 'health', 'alerts')).out), { timeoutMs: 180_000, intervalMs: 500 })
  t.match((await ctl(first, 'peers', 'ls')).out, new RegExp(`^${gone} \\| ERROR: `, 'm'))
  t.match(await ctl(second, 'peers', 'rm', gone), { code: 0, out: '' })
  t.ok(await agreeOnMembers([first, second], [first.id, second.id]))
})

t.test('without a majority health says so, and removing is refused in time', async t => {
  await second.kill()

  t.ok(await eventually('it is noticed', async () => {
    const response = await fetch(`${first.rest}/health`)
    return response.status === 503 && (await response.text()).includes('no leader is known')
  }, { intervalMs: 200 }))

  t.equal((await fetch(`${first.rest}/health/live`)).status, 204)
  t.match(await ctl(first, 'peers', 'rm', ids[1]!), { code: 2, out: /was not changed: no leader is known|took longer than 10000 ms/ })
})
