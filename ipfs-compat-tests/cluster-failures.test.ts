/** Three peers of which one is killed, silent or away. */
import t from 'tap'
import type { Test } from 'tap'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { addThrough, allocationsOf, asking, canChoose, heldBy, missingAt, pinnedOn, statusOf } from './harness/cluster-asking.ts'
import type { Status } from './harness/cluster-asking.ts'
import { eventually } from './harness/eventually.ts'
import { inlineCidOf } from './harness/pins.ts'
import { rpc } from './harness/rpc.ts'
import { multipartOf, upload, uploadBoundary } from './harness/upload.ts'

t.setTimeout(1_800_000)

const cluster = await startCluster(3)
t.teardown(async () => { await cluster[Symbol.asyncDispose]() })
const { peers } = cluster
const [first, second, third] = peers as [TestPeer, TestPeer, TestPeer]

async function timed<T> (t: Test, what: string, work: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now()
  const result = await work()
  t.comment(`${what}: ${((performance.now() - startedAtMs) / 1_000).toFixed(2)} s`)
  return result
}

t.test('the peer that the others joined through, who leads them, is killed: they go on, and it catches up when it is back, at another address', async t => {
  const before = await addThrough(first, 'before the death of the first')
  const going = await addThrough(first, 'unpinned while the first is away')
  await first.kill()

  const meanwhile = await timed(t, 'the first pin after the death was answered after', async () => await addThrough(second, 'without the first'))
  const byThird = await addThrough(third, 'without the first, by the third')
  await rpc(third.proxy, `pin/rm?arg=${going}`)
  t.equal((await heldBy([second, third], meanwhile)).length, 2)
  await timed(t, 'started again in', async () => { await first.start([], { CLUSTER_LISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/0' }) })

  // The third was answered last, so it has all of it.
  t.strictSame(await allocationsOf(first), await allocationsOf(third), 'it has the pinset of the others as soon as it is ready')
  for (const cid of [before, meanwhile, byThird]) await eventually('its daemon holds all', async () => (await heldBy([first], cid)).length === 1)
  await eventually('what was unpinned meanwhile is held by none', async () => (await heldBy(peers, going)).length === 0)
  t.ok((await heldBy(peers, await addThrough(first, 'through the one that is back'))).includes(first))
})

t.test('a peer that is silent is there with cluster_error and why within seconds, is not waited for again, and an unpin that it missed is made up for', async t => {
  const cid = await addThrough(first, 'pinned while all are there')
  const going = await addThrough(first, 'unpinned while one is silent')
  for (const one of [cid, going]) await pinnedOn(second, one, peers)
  const silent = third.id
  third.pause()

  const [status, again] = await timed(t, 'status and recover answered after', async () => await Promise.all([
    statusOf(second, cid), fetch(`${second.rest}/pins/${cid}/recover`, { method: 'POST' }).then(async response => await response.json() as Status)
  ]))
  const later = await timed(t, 'status answered later after', async () => await statusOf(second, cid))
  const all = await timed(t, 'statusAll answered after', async () => await (await fetch(`${second.rest}/pins`)).text())
  await timed(t, 'recoverAll answered after', async () => await (await fetch(`${second.rest}/pins/recover`, { method: 'POST' })).text())
  const ids = await timed(t, 'the peers were listed after', async () => await (await fetch(`${second.rest}/peers`)).text())
  const collected = await timed(t, 'repo/gc answered after', async () => await (await fetch(`${second.rest}/ipfs/gc`, { method: 'POST' })).text())
  const size = await timed(t, 'repo/stat answered after', async () => await rpc(second.proxy, 'repo/stat'))
  await timed(t, 'the unpin was answered after', async () => await rpc(second.proxy, `pin/rm?arg=${going}`))
  third.resume()

  for (const { peer_map: peerMap } of [status, again, later]) {
    t.strictSame(Object.fromEntries(Object.entries(peerMap).map(([peer, { status }]) => [peer, status])), { [first.id]: 'pinned', [second.id]: 'pinned', [silent]: 'cluster_error' })
  }
  for (const text of [JSON.stringify(later), all, ids, collected]) t.match(text, `"error":"${silent} is silent: it has not answered for `)
  t.match(all, '"status":"cluster_error"')
  t.match(size, '"RepoSize":')
  await eventually('it has let go of what was unpinned', async () => (await heldBy(peers, going)).length === 0)
  t.ok(await pinnedOn(second, cid, [third]))
})

t.test('while all peers are restarted one after another no request to the others fails, no pin is lost, and all pinsets are equal', async t => {
  const acknowledged: string[] = []
  const tookMs: number[] = []
  for (const restarted of peers) {
    const others = peers.filter(peer => peer !== restarted)
    const clients = others.map(other => asking(async i => {
      const askedAtMs = performance.now()
      const cid = inlineCidOf(`${peers.indexOf(other)} ${i} while ${peers.indexOf(restarted)} is away`).toString()
      await rpc(other.proxy, `pin/add?arg=${cid}`)
      tookMs.push(performance.now() - askedAtMs)
      return cid
    }))
    t.match(await restarted.stop(), { code: 0 })
    await restarted.start()
    acknowledged.push(...(await Promise.all(clients.map(async client => await client.end()))).flat())
  }

  t.comment(`${acknowledged.length} acknowledged; the slowest after ${tookMs.sort((a, b) => b - a).slice(0, 5).map(ms => ms.toFixed(0)).join(', ')} ms`)
  const pinsets = await eventually('all pinsets are equal', async () => {
    const all = await Promise.all(peers.map(async peer => [...await allocationsOf(peer)].sort().join(' ')))
    return new Set(all).size === 1 ? all : undefined
  })
  t.strictSame(acknowledged.filter(cid => !pinsets[0]!.includes(cid)), [])
  for (const peer of peers) await eventually('all is held', async () => (await missingAt(peer, acknowledged.slice(-100))).length === 0)
})

t.test('all peers stopped at once and started again are the same cluster', async t => {
  const before = await allocationsOf(first)

  const ends = await timed(t, 'all had stopped after', async () => await Promise.all(peers.map(async peer => await peer.stop())))
  await timed(t, 'all were ready after', async () => await Promise.all(peers.map(async peer => await peer.start())))

  for (const { code, err } of ends) t.equal(code, 0, err)
  for (const peer of peers) t.ok(await eventually('it has what there was', async () => [...await allocationsOf(peer)].sort().join() === [...before].sort().join()))
  const cid = inlineCidOf('after all were gone').toString()
  await timed(t, 'a pin was answered after', async () => await rpc(second.proxy, `pin/add?arg=${cid}`))
  await eventually('all hold it', async () => (await heldBy(peers, cid)).length === 3)
})

/** Bytes that never repeat, `pieceBytes` at a time; `onPiece` is told how many there were. */
async function * bytesOf (pieces: number, seed: string, onPiece: (index: number) => Promise<void> | void): AsyncGenerator<Uint8Array, void, undefined> {
  const [head, tail] = multipartOf([{ body: 'BODY' }]).toString().split('BODY') as [string, string]
  yield Buffer.from(head)
  for (let i = 0; i < pieces; i++) {
    await onPiece(i)
    yield Buffer.alloc(1 << 20, `${seed} ${i} `)
  }
  yield Buffer.from(tail)
}

t.test('a peer that dies in the middle of uploads ends those that need it, with who and why and no pin, and no other', async t => {
  const form = new ReadableStream<Uint8Array>({
    async start (controller) {
      for await (const piece of bytesOf(24, 'needs all', async i => { if (i === 16) await untilDead })) controller.enqueue(piece)
      controller.close()
    }
  })
  const { promise: untilDead, resolve: dead } = Promise.withResolvers<void>()
  const { id } = third
  await canChoose(second, peers)

  const [answer, refusal] = await timed(t, 'both ended after', async () => await Promise.all([
    upload(first.proxy.port, 'add?cid-version=1', bytesOf(24, 'needs two', async i => { if (i === 16) await third.kill().then(dead) })),
    fetch(`${second.rest}/add?replication=3&stream-channels=false&cid-version=1&name=needs-all`, {
      method: 'POST', body: form, duplex: 'half', headers: { 'content-type': `multipart/form-data; boundary=${uploadBoundary}` }
    }).then(async response => ({ status: response.status, text: await response.text() }))
  ]))

  t.match(answer, { status: 200, streamError: undefined })
  const cid = String(answer.lines.at(-1)?.['Hash'])
  t.equal((await heldBy([first, second], cid)).length, 2)
  t.match(refusal, { status: 500, text: new RegExp(`2 of 3 destinations took the blocks, 3 needed; ${id}: `) })
  t.comment(refusal.text.trim())
  t.notMatch(await (await fetch(`${first.rest}/allocations`)).text(), 'needs-all')
  await third.start()
  await eventually('the one that died fetches it when it is back', async () => (await heldBy([third], cid)).length === 1)
  t.notMatch(await (await fetch(`${third.rest}/allocations`)).text(), 'needs-all')
})
