import { targetOf } from '../../ipfs-compat-tests/harness/cluster.ts'
import { eventually } from '../../ipfs-compat-tests/harness/eventually.ts'
import { temporaryFolder } from '../../ipfs-compat-tests/harness/folder.ts'
import { runLoad } from '../load.ts'
import { tell } from '../output.ts'
import type { Round } from '../report.ts'
import { startPeers } from '../scale/peers.ts'
import type { ScaleCluster } from '../scale/peers.ts'
import { cidOf } from '../scale/pins.ts'

const pins = 2_000
const connections = 32
const rounds = 3
const warmUps = 2
const patienceMs = 600_000

/** Pins that go everywhere, in clusters of so many peers whose daemons answer at once. */
export async function growPeers (sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    await using folder = await temporaryFolder()
    await using cluster = await startPeers(folder.path, size)
    const results: Round[] = []
    for (let round = 0; round < rounds + warmUps; round++) results.push(await pinned(cluster, round * pins))
    await tell({
      sides: 'peers whose daemons answer at once',
      title: `${pins.toLocaleString('en')} pins, ${connections} at once, answered when agreed on, peers: ${size}`,
      rounds: { peer: results.slice(warmUps) },
      measured: { answered: { unit: 'pins/s' }, p50: { unit: 'ms' }, p99: { unit: 'ms' }, 'held by all daemons': { unit: 'pins/s' }, 'processor time on each peer': { unit: 'µs a pin' } },
      over: { what: 'peers', value: size }
    })
  }
}

/** From the pin with that number on. */
async function pinned ({ peers }: ScaleCluster, first: number): Promise<Round> {
  const cpuSeconds = async (): Promise<number> => (await Promise.all(peers.map(async peer => await peer.cpuSeconds()))).reduce((sum, seconds) => sum + seconds)
  const heldBefore = await peers[0]!.held()
  const before = await cpuSeconds()
  const begunMs = performance.now()
  const { perSecond, p50Ms, p99Ms } = await runLoad(targetOf(peers[0]!.rest), { connections, path: number => number < pins ? `/pins/${cidOf(first + number).toString()}` : undefined })
  await eventually('all daemons hold them', async () => (await Promise.all(peers.map(async peer => await peer.held()))).every(held => held >= heldBefore + pins), { timeoutMs: patienceMs })
  const seconds = (performance.now() - begunMs) / 1_000
  return { answered: perSecond, p50: p50Ms, p99: p99Ms, 'held by all daemons': pins / seconds, 'processor time on each peer': (await cpuSeconds() - before) / peers.length / pins * 1e6 }
}
