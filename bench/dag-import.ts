import { call } from './call.ts'
import { carBody, carOf, mib } from './content.ts'
import { compare, contestOf, goalsOfOne, secondsOf } from './harness.ts'

/** CARs whose root is pinned: many small blocks, and many bytes. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await contestOf(args)
  for (const [title, count, blockBytes, rounds] of [['1,000 blocks of 460 B', 1_000, 460, 25], ['256 MiB in blocks of 256 KiB', 1_024, mib / 4, 7]] as const) {
    await compare(contest, {
      title: `dag/import of ${title}`,
      rounds: contest.rounds ?? rounds,
      measured: { blocks: { unit: '1/s', ...goalsOfOne(contest, { atLeast: 0.8 }) }, rate: { unit: 'MB/s' } },
      round: async side => {
        const car = carOf(count, blockBytes)
        const seconds = await secondsOf(() => call(side, 'dag/import?pin-roots=true', carBody(car)))
        return { blocks: count / seconds, rate: car.bytes.byteLength / seconds / 1e6 }
      }
    })
  }
}
