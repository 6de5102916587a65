import { targetOf } from '../../ipfs-compat-tests/harness/cluster.ts'
import { temporaryFolder } from '../../ipfs-compat-tests/harness/folder.ts'
import { exchange } from '../call.ts'
import { endlessFileBody, mib } from '../content.ts'
import { secondsOf } from '../harness.ts'
import { tell } from '../output.ts'
import { watchMemory } from '../process-figures.ts'
import { startPeers } from '../scale/peers.ts'

const peerCount = 3
const gib = 1_024 * mib
const daemons = new URL('dropping-daemons.ts', import.meta.url)

/** One upload of so many GiB to three daemons that drop what they get, and what the peers have resident meanwhile. */
export async function growUploads (sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    await using folder = await temporaryFolder()
    await using cluster = await startPeers(folder.path, peerCount, daemons)
    const [asked, ...others] = cluster.peers
    using ofAsked = watchMemory([asked!])
    using ofOthers = watchMemory(others)
    const body = endlessFileBody(size * gib)
    const seconds = await secondsOf(async () => { await exchange(targetOf(asked!.rest), { path: '/add', body }) })
    await tell({
      sides: `${peerCount} peers whose daemons drop what they get`,
      title: `one upload, GiB: ${size}`,
      rounds: { peer: [{ rate: size * gib / seconds / 1e6, 'the peer that is asked': ofAsked.most().all, 'the largest other': ofOthers.most().all }] },
      measured: { rate: { unit: 'MB/s' }, 'the peer that is asked': { unit: 'MiB' }, 'the largest other': { unit: 'MiB' } },
      over: { what: 'GiB', value: size }
    })
  }
}
