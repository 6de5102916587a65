/**
 * Faults in the middle of load, on real processes: `faults.ts` is the table. Here a few of them, once, on three peers. All of them by hand:
 * FAULTS=all ROUNDS=3 PEERS=5 IPFS_BIN=/path/to/ipfs node ipfs-compat-tests/failure-faults.test.ts
 */
import { join } from 'node:path'
import t from 'tap'
import { createPeerStore } from '../cluster/state/peer-store.ts'
import { createPinset } from '../cluster/state/pinset.ts'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { addThrough } from './harness/cluster-asking.ts'
import { eventually } from './harness/eventually.ts'
import { addToOne, contradictions, startLoad } from './harness/fault-load.ts'
import type { Told } from './harness/fault-load.ts'
import { faults } from './harness/faults.ts'
import type { Fault, FaultWorld } from './harness/faults.ts'
import { createPeerLinks } from './harness/peer-links.ts'
import { mountSmallDisk, whyNoMount } from './harness/small-disk.ts'

const { FAULTS: asked, ROUNDS: roundsAsked, PEERS: peersAsked } = process.env
const isLong = asked !== undefined
const names = asked === 'all' ? Object.keys(faults) : asked?.split(';').map(name => name.trim()) ?? ['the leader is killed', 'a follower is in a black hole', 'all are killed']
const rounds = Number(roundsAsked ?? 1)
const probes = 3
const diskMebibytes = 256
t.setTimeout(900_000 + 300_000 * rounds * names.length)

const undo = new AsyncDisposableStack()
t.teardown(async () => { await undo.disposeAsync() })
const world = await start(Number(peersAsked ?? 3))
const { peers } = world
const told: Told = new Map()

async function start (count: number): Promise<FaultWorld> {
  const links = undo.use(createPeerLinks())
  const hasDisk = names.some(name => name.includes('disk')) && whyNoMount() === false
  const cluster = undo.use(await startCluster(hasDisk ? count - 1 : count, process.platform === 'linux' ? { links } : {}))
  const world = { links, lastsMs: isLong ? 10_000 : 500 }
  if (!hasDisk) return { ...world, peers: cluster.peers, smallDisk: undefined }
  const last = await cluster.another()
  const smallDisk = undo.use(await mountSmallDisk(last.folder, diskMebibytes))
  await last.start(['--bootstrap', cluster.peers[0]!.address])
  undo.defer(async () => { if (last.isRunning) await last.kill() })
  return { ...world, peers: [...cluster.peers, last], smallDisk }
}

/** How soon an add that goes everywhere was answered, and the slowest of those that go to one peer. */
interface Probed { readonly firstMs: number, readonly slowestMs: number, readonly refused: readonly string[] }

/** What is asked of a peer that is left from the fault on. Some of it is given to those that are not, who are not there. */
async function probe (peer: TestPeer, name: string, struckAtMs: number): Promise<Probed> {
  const refused: string[] = []
  const ask = async (add: (text: string) => Promise<string>, i: number): Promise<void> => {
    try {
      told.set(await add(`${name}, asked of peer ${peers.indexOf(peer)}, ${i}`), 'pinned')
    } catch (err) {
      refused.push(`peer ${peers.indexOf(peer)}: ${(err as Error).message}`)
    }
  }
  await ask(async text => await addThrough(peer, text), 0)
  const firstMs = performance.now() - struckAtMs
  let slowestMs = 0
  for (let i = 1; i <= probes; i++) {
    const askedAtMs = performance.now()
    await ask(async text => await addToOne(peer, text), i)
    slowestMs = Math.max(slowestMs, performance.now() - askedAtMs)
  }
  return { firstMs, slowestMs, refused }
}

function spread (ms: readonly number[]): string {
  const sorted = ms.toSorted((a, b) => a - b)
  return `p50 ${sorted[sorted.length >> 1]!.toFixed(0)}, at most ${sorted.at(-1)!.toFixed(0)} ms`
}

async function round (fault: Fault, name: string): Promise<readonly Probed[]> {
  const load = startLoad(peers, name, told)
  try {
    await load.answered(20)
    const { survivors, mend } = await fault.strike(world)
    const struckAtMs = performance.now()
    const probed = await Promise.all(survivors.map(async peer => await probe(peer, name, struckAtMs)))
    await mend()
    await load.answered(10)
    return probed
  } finally {
    await load.end()
  }
}

async function isAsTold (): Promise<boolean> {
  return await eventually('pinsets and daemons are as callers were told', async () => {
    const wrong = await contradictions(peers, told)
    if (wrong.length > 0) throw new Error(`${wrong.length} wrong: ${wrong.slice(0, 5).join('; ')}`)
    return true
  }, { intervalMs: 200 })
}

for (const name of names) {
  const fault = faults[name]
  if (fault === undefined) throw new Error(`no fault ${JSON.stringify(name)}: expected ${Object.keys(faults).join('; ')}`)
  t.test(`${name}: those that are left go on, nothing that was acknowledged is lost or comes back, and all pinsets are equal`, { skip: fault.whyNot?.(world) ?? false }, async t => {
    const all: Probed[] = []
    for (let i = 1; i <= rounds; i++) {
      const probed = await round(fault, `${name}, round ${i}`)

      t.strictSame(probed.flatMap(({ refused }) => refused), [])
      t.ok(await isAsTold())
      all.push(...probed)
    }
    if (all.length > 0) t.comment(`first answers of those that were left after ${spread(all.map(({ firstMs }) => firstMs))}; adds to one peer took ${spread(all.map(({ slowestMs }) => slowestMs))}`)
    t.comment(`${told.size} acknowledged in all`)
  })
}

/** Of a peer that does not run. */
async function digestOf ({ folder }: TestPeer): Promise<bigint> {
  await using store = createPeerStore({ folder: join(folder, 'state') })
  await store.start({ signal: new AbortController().signal })
  return createPinset({ store }).digest()
}

t.test('the pinsets are equal to the last byte', async t => {
  await Promise.all(peers.map(async peer => { await peer.kill() }))

  t.equal(new Set(await Promise.all(peers.map(digestOf))).size, 1)
})
