/** All peers of a cluster lose their process at once, in the middle of a burst of pins. ROUNDS=50 for the long run. */
import { join } from 'node:path'
import t from 'tap'
import { createPeerStore } from '../cluster/state/peer-store.ts'
import { createPinset } from '../cluster/state/pinset.ts'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { addThrough, allocationsOf } from './harness/cluster-asking.ts'
import { eventually } from './harness/eventually.ts'
import { inlineCidOf } from './harness/pins.ts'
import { rpc } from './harness/rpc.ts'

const rounds = Number(process.env['ROUNDS'] ?? 1)
t.setTimeout(300_000 + 300_000 * rounds)
const never = { signal: new AbortController().signal }
const clientsAPeer = 4
const failuresMax = 50

/** What callers were told, by CID: it is pinned, or is not any more. What was asked for and not answered is in neither state. */
type Told = Map<string, 'pinned' | 'unpinned'>

/**
 * Clients of every peer pin, add and unpin, each CID by one client, until `answers` of them were answered; in that moment all peers are killed.
 * An answer counts when all of it has been read.
 */
async function burst (peers: readonly TestPeer[], round: number, answers: number, told: Told): Promise<void> {
  let answered = 0
  let failures = 0
  let deaths: Promise<unknown> | undefined
  const tell = (cid: string, state: 'pinned' | 'unpinned'): void => {
    told.set(cid, state)
    if (++answered === answers) deaths = Promise.all(peers.map(async peer => { await peer.kill() }))
  }
  const change = async (peer: TestPeer, name: string, isFile: boolean, goesAgain: boolean): Promise<void> => {
    if (isFile) {
      tell(await addThrough(peer, name), 'pinned')
      return
    }
    const cid = inlineCidOf(name).toString()
    await rpc(peer.proxy, `pin/add?arg=${cid}`)
    tell(cid, 'pinned')
    if (!goesAgain) return
    told.delete(cid)
    await rpc(peer.proxy, `pin/rm?arg=${cid}`)
    tell(cid, 'unpinned')
  }
  const client = async (peer: TestPeer, number: number): Promise<void> => {
    for (let i = 0; deaths === undefined; i++) {
      try {
        await change(peer, `round ${round}, client ${number}, ${i}`, number % clientsAPeer === 0, i % 5 === 4)
      } catch (err) {
        // Who is refused for another reason than that asks again, within reason.
        if (deaths === undefined && ++failures > failuresMax) throw err
      }
    }
  }
  await Promise.all(peers.flatMap((peer, at) => Array.from({ length: clientsAPeer }, async (_, i) => { await client(peer, at * clientsAPeer + i) })))
  await deaths
}

/** What that peer's pinset contradicts of what was told. */
async function wrongAt (peer: TestPeer, told: Told): Promise<readonly string[]> {
  const pinset = await allocationsOf(peer)
  return [...told].filter(([cid, state]) => pinset.has(cid) !== (state === 'pinned')).map(([cid, state]) => `${cid} was ${state}`)
}

/** Of a peer that does not run. */
async function digestOf ({ folder }: TestPeer): Promise<bigint> {
  await using store = createPeerStore({ folder: join(folder, 'state') })
  await store.start(never)
  return createPinset({ store }).digest()
}

t.test('after kill -9 of all peers at once in a burst, every peer has each pin that was acknowledged and no removed one, and all pinsets are equal', async t => {
  await using cluster = await startCluster(3)
  const { peers } = cluster
  const told: Told = new Map()

  for (let round = 1; round <= rounds; round++) {
    await burst(peers, round, 20 + 37 * round % 150, told)
    await Promise.all(peers.map(async peer => { await peer.start() }))
    await eventually(`after round ${round} every peer has what callers were told`, async () => {
      const wrong = (await Promise.all(peers.map(async peer => await wrongAt(peer, told)))).flat()
      if (wrong.length > 0) throw new Error(`${wrong.length} wrong: ${wrong.slice(0, 5).join('; ')}`)
      const [first, ...others] = await Promise.all(peers.map(allocationsOf))
      return others.every(pinset => pinset.size === first!.size && pinset.isSubsetOf(first!))
    }, { intervalMs: 100 })
    t.pass(`round ${round}: ${told.size} pins`)
  }

  await Promise.all(peers.map(async peer => { await peer.kill() }))
  const digests = await Promise.all(peers.map(digestOf))
  t.equal(new Set(digests).size, 1)
  t.comment(`${told.size} pins acknowledged in ${rounds} rounds, digest ${digests[0]!.toString(16)}`)
})
