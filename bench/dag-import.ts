import { call } from './call.ts'
import { carBody, mib } from './content.ts'
import { compare, pairOf, secondsOf } from './harness.ts'

/** CARs whose root is pinned: many small blocks, and many bytes. */
export async function bench (args: readonly string[]): Promise<void> {
  await using sides = await pairOf(args)
  for (const [title, count, blockBytes, rounds] of [['1,000 blocks of 460 B', 1_000, 460, 25], ['256 MiB in blocks of 256 KiB', 1_024, mib / 4, 7]] as const) {
    await compare(sides, {
      title: `dag/import of ${title}`,
      rounds,
      measured: { blocks: { unit: '1/s', goal: { atLeast: 0.8 } }, rate: { unit: 'MB/s' } },
      round: async side => {
        const { body, bytes } = carBody(count, blockBytes)
        const seconds = await secondsOf(() => call(side, 'dag/import?pin-roots=true', body))
        return { blocks: count / seconds, rate: bytes / seconds / 1e6 }
      }
    })
  }
}
