/** Three peers, each with a daemon of its own: what is asked of any of them holds on all. */
import t from 'tap'
import type { Test } from 'tap'
import { eventually } from './harness/eventually.ts'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { addThrough, allocationsOf, asking, canChoose, heldBy, importThrough, missingAt, statusOf } from './harness/cluster-asking.ts'
import type { Standing } from './harness/cluster-asking.ts'
import { cidOf } from './harness/pins.ts'
import { rpc, rpcLines, rpcResponse } from './harness/rpc.ts'

t.setTimeout(1_800_000)

/** Without progress for so long a pin is given up. */
const pinTimeout = { CLUSTER_IPFSHTTP_PINTIMEOUT: '10s' }
const startedAtMs = performance.now()
const cluster = await startCluster(3, { settings: pinTimeout })
t.comment(`three peers were one cluster after ${secondsSince(startedAtMs)} s`)
t.teardown(async () => { await cluster[Symbol.asyncDispose]() })
const { peers } = cluster
const eachPeer = peers.map((peer, i) => [`peer ${i}`, peer] as const)

/** Answered means: by most, the one that was asked among them. The rest follows at once. */
async function assertHeldEverywhere (t: Test, asked: TestPeer, cid: string): Promise<void> {
  const atOnce = await heldBy(peers, cid)
  t.ok(atOnce.includes(asked), 'the daemon of the peer that was asked holds it')
  t.ok(atOnce.length >= 2, `${atOnce.length} of 3 daemons hold it when it is answered`)
  await eventually('all daemons hold it', async () => (await heldBy(peers, cid)).length === 3)
}

for (const [name, peer] of eachPeer) {
  t.test(`what is added through ${name} is held by most daemons when it is answered and by all soon`, async t => {
    const cid = await addThrough(peer, `added through ${name}`)

    await assertHeldEverywhere(t, peer, cid)
  })

  t.test(`a CAR that is imported through ${name} is held by most daemons when it is answered and by all soon`, async t => {
    const cid = await importThrough(peer, `imported through ${name}`)

    await assertHeldEverywhere(t, peer, cid)
  })

  t.test(`a pin of what only the daemon of another peer has is fetched by all, asked for through ${name}, and keeps its name`, async t => {
    const elsewhere = peers[(peers.indexOf(peer) + 1) % peers.length]!
    const cid = await addUnpinned(elsewhere, `only there, for ${name}`)

    await rpc(peer.proxy, `pin/add?arg=${cid}&name=for-${name.replace(' ', '-')}`)

    await assertHeldEverywhere(t, peer, cid)
    for (const { daemon, proxy } of peers) {
      for (const target of [daemon, proxy]) t.match(await rpc(target, `pin/ls?arg=${cid}&type=recursive&names=true`), `"for-${name.replace(' ', '-')}"`)
    }
  })

  t.test(`a pin that is moved to other content through ${name} moves on every daemon`, async t => {
    const from = await addThrough(peer, `before, ${name}`)
    const to = await addUnpinned(peer, `after, ${name}`)

    await rpc(peer.proxy, `pin/update?arg=${from}&arg=${to}`)

    await assertHeldEverywhere(t, peer, to)
    await eventually('no daemon holds the old one', async () => (await heldBy(peers, from)).length === 0)
    t.strictSame((await allocationsOf(peer)).has(from), false)
  })

  t.test(`what is unpinned through ${name} is gone from its daemon when it is answered and from all soon`, async t => {
    const cid = await addThrough(peer, `to go, ${name}`)

    await rpc(peer.proxy, `pin/rm?arg=${cid}`)

    t.notOk((await heldBy(peers, cid)).includes(peer))
    await eventually('no daemon holds it', async () => (await heldBy(peers, cid)).length === 0)
  })
}

t.test('who asks the peer that it has just written to reads its own writes', async t => {
  for (let i = 0; i < 15; i++) {
    const peer = peers[i % 3]!
    const cid = await addThrough(peer, `read your write ${i}`)
    t.match(await rpc(peer.proxy, `pin/ls?arg=${cid}`), cid)
    await rpc(peer.proxy, `pin/rm?arg=${cid}`)
    t.notMatch(await rpc(peer.proxy, 'pin/ls?type=recursive'), cid)
  }
})

t.test('what a daemon has lost is told by an audit through any peer, and is back once it was recovered', async t => {
  const [asked, loser, auditor] = peers as unknown as readonly [TestPeer, TestPeer, TestPeer]
  const cid = await addThrough(asked, 'lost by one daemon')
  await assertHeldEverywhere(t, asked, cid)
  await rpc(loser.daemon, `pin/rm?arg=${cid}`)

  await eventually('it is told', async () => {
    const drifts = (await (await fetch(`${auditor.rest}/audit`)).text()).split('\n').filter(line => line.includes(cid)).map(line => JSON.parse(line))
    return drifts.length === 1 && drifts[0].kind === 'missing' && drifts[0].peer === loser.id
  })
  await (await fetch(`${auditor.rest}/pins/recover`, { method: 'POST' })).text()

  await eventually('all daemons hold it', async () => (await heldBy(peers, cid)).length === 3)
})

t.test('with replication 2 the content is on the two daemons that were allocated, and on no other', async t => {
  await canChoose(peers[0]!, peers)
  const response = await fetch(`${peers[0]!.rest}/add?replication=2&stream-channels=false`, { method: 'POST', body: formOf('two of three') })
  const [row] = await response.json() as [{ cid: string, allocations: readonly string[] }]

  const allocations = await eventually('another peer tells who has it', async () => (await (await fetch(`${peers[1]!.rest}/allocations/${row.cid}`)).json() as { allocations?: readonly string[] }).allocations)
  t.equal(allocations.length, 2)
  await eventually('both hold it', async () => (await heldBy(peers, row.cid)).length === 2)
  t.strictSame((await heldBy(peers, row.cid)).map(({ id }) => id).sort(), [...allocations].sort())
  t.ok(await eventually('each says so', async () => Object.values((await statusOf(peers[2]!, row.cid)).peer_map).map(({ status }) => status).sort().join() === 'pinned,pinned,remote'))
})

t.test('more copies than there are peers is an error with both numbers, and leaves no pin', async t => {
  const cid = cidOf('four of three').toString()

  const pinned = await fetch(`${peers[0]!.rest}/pins/${cid}?replication=4`, { method: 'POST' })
  const added = await fetch(`${peers[0]!.rest}/add?replication=4&stream-channels=false`, { method: 'POST', body: formOf('four of three') })

  for (const response of [pinned, added]) {
    const text = await response.text()
    t.not(response.status, 200)
    t.match(text, /4/)
    t.match(text, /3/)
    t.comment(text.trim())
  }
  for (const peer of peers) t.notOk((await allocationsOf(peer)).has(cid))
})

t.test('a pin of what nobody has is pinning, then an error with the reason; the client need not wait for it', async t => {
  const cid = cidOf('nobody has it').toString()
  const statuses = async (): Promise<readonly Standing[]> => Object.values((await statusOf(peers[2]!, cid)).peer_map)

  const answer = await fetch(`${peers[0]!.rest}/pins/${cid}`, { method: 'POST' })
  await answer.text()

  t.equal(answer.status, 200)
  await eventually('it is being fetched', async () => (await statuses()).every(({ status }) => status === 'pinning'))
  const failed = await eventually('all have given up', async () => {
    const all = await statuses()
    return all.every(({ status }) => status === 'pin_error') ? all : undefined
  }, { timeoutMs: 120_000, intervalMs: 100 })
  for (const { error } of failed) t.match(error, /^no progress for 10000 ms after 0 nodes$/)
  t.comment(failed[0]!.error)
  t.equal((await fetch(`${peers[2]!.rest}/pins/${cid}`, { method: 'DELETE' })).status, 200)
})

t.test('a client that leaves while its pin is being fetched leaves the pin, and every peer goes on with it', async t => {
  const cid = cidOf('nor has anybody this').toString()
  const leaving = new AbortController()
  const asked = rpcResponse(peers[1]!.proxy, `pin/add?arg=${cid}`, [], leaving.signal).catch(() => {})
  await eventually('it is agreed on', async () => (await allocationsOf(peers[1]!)).has(cid))

  leaving.abort()
  await asked

  await eventually('each is at it', async () => Object.values((await statusOf(peers[0]!, cid)).peer_map).every(({ status }) => status === 'pinning' || status === 'pin_error'))
  for (const peer of peers) t.ok((await allocationsOf(peer)).has(cid))
  t.equal((await fetch(`${peers[2]!.rest}/pins/${cid}`, { method: 'DELETE' })).status, 200)
})

t.test('with repo/gc running on every daemon all the time, nothing that was acknowledged is lost', async t => {
  const collecting = peers.map(({ daemon }) => asking(async () => await rpc(daemon, 'repo/gc')))

  const acknowledged = (await Promise.all([
    ...peers.map(async (peer, p) => await times(8, async i => await addThrough(peer, Buffer.alloc(300_000, `${p} ${i} while collecting`)))),
    times(4, async i => await importThrough(peers[i % 3]!, `while collecting ${i}`))
  ])).flat()
  const collections = (await Promise.all(collecting.map(async one => await one.end()))).flat().length

  t.comment(`${acknowledged.length} acknowledged during ${collections} collections`)
  for (const peer of peers) {
    await eventually('all is held', async () => (await missingAt(peer, acknowledged)).length === 0)
    await rpc(peer.daemon, 'repo/gc')
    for (const cid of acknowledged) t.match(await rpc(peer.daemon, `dag/stat?arg=${cid}&offline=true&progress=false`), /"UniqueBlocks":[1-9]/)
  }
})

/** On its daemon alone. @returns the CID */
async function addUnpinned ({ daemon }: TestPeer, content: string): Promise<string> {
  const [added] = await rpcLines<{ Hash: string }>(daemon, 'add?pin=false&cid-version=1', [{ name: 'file', content }])
  return added!.Hash
}

function formOf (content: string): FormData {
  const form = new FormData()
  form.append('file', new Blob([content]), 'file')
  return form
}

function secondsSince (atMs: number): string {
  return ((performance.now() - atMs) / 1_000).toFixed(1)
}

async function times (count: number, ask: (number: number) => Promise<string>): Promise<readonly string[]> {
  const answered: string[] = []
  for (let i = 0; i < count; i++) answered.push(await ask(i))
  return answered
}
