import { runLoad } from '../load.ts'
import { say } from '../output.ts'
import type { ClusterSide } from './contest.ts'
import { unpinnedAt, untilHeld } from './unpinned.ts'

const connections = 32
const lot = 2_000
/** A real Kubo takes some 300 pins a second, and less on a busy machine. */
const lotPatienceMs = 300_000

/** Pins so much new content through the REST API, and waits until all daemons hold it. */
export async function fill ({ name, daemons, pinDoors: { agreed } }: ClusterSide, count: number): Promise<void> {
  for (let left = count; left > 0; left -= lot) {
    const cids = await unpinnedAt(daemons, Math.min(lot, left))
    await runLoad(agreed, { connections, path: number => cids[number] && agreed.path(cids[number]) })
    await untilHeld(daemons, cids, lotPatienceMs)
  }
  say(`${name}: ${count.toLocaleString('en')} pins are held by all ${daemons.length} daemons\n`)
}
