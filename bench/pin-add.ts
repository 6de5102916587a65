import { callJson } from './call.ts'
import { filesBody, randomBytes } from './content.ts'
import { compare, pairOf } from './harness.ts'
import type { Side } from './harness.ts'
import { runLoad } from './load.ts'

const pins = 256

/** Pins of small content that every daemon has: what being a logged, durable, tracked cluster pin costs on top. */
export async function bench (args: readonly string[]): Promise<void> {
  await using sides = await pairOf(args)
  for (const connections of [1, 32]) {
    await compare(sides, {
      title: `pin/add of ${pins} CIDs, ${connections === 1 ? 'one by one' : `${connections} at once`}`,
      rounds: 5,
      measured: { rate: { unit: 'pins/s' }, p50: { unit: 'ms' }, p99: { unit: 'ms' } },
      round: async side => {
        const cids = await unpinned(side)
        const { perSecond, p50Ms, p99Ms } = await runLoad(side, { connections, path: number => cids[number] && `/api/v0/pin/add?arg=${cids[number]}` })
        return { rate: perSecond, p50: p50Ms, p99: p99Ms }
      }
    })
  }
}

async function unpinned (side: Side): Promise<readonly string[]> {
  const files = Array.from({ length: pins }, () => randomBytes(100))
  const [lines = []] = await Promise.all((side.daemons ?? [side]).map(async daemon => await callJson({ name: side.name, ...daemon }, 'add?pin=false&raw-leaves=true&cid-version=1', filesBody(files))))
  return lines.filter(({ Name }) => Name.includes('/')).map(({ Hash }) => Hash)
}
