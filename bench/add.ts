import { call } from './call.ts'
import { fileBody, filesBody, mib, randomBytes } from './content.ts'
import { compare, contestOf, goalsOfOne, secondsOf } from './harness.ts'

const large = 256 * mib
const files = 5_000

/** Uploads: one large file, and many small ones in one request. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await contestOf(args)
  await compare(contest, {
    title: 'add of 256 MiB',
    rounds: contest.rounds ?? 5,
    measured: { rate: { unit: 'MB/s', ...goalsOfOne(contest, { atLeast: 0.6 }) } },
    round: async side => {
      const body = fileBody(randomBytes(large))
      return { rate: large / await secondsOf(() => call(side, 'add', body)) / 1e6 }
    }
  })
  await compare(contest, {
    title: 'add of 5,000 files of 1 KiB',
    rounds: contest.rounds ?? 5,
    measured: { rate: { unit: 'files/s', ...goalsOfOne(contest, { atLeast: 0.8 }) } },
    round: async side => {
      const body = filesBody(Array.from({ length: files }, () => randomBytes(1_024)))
      return { rate: files / await secondsOf(() => call(side, 'add', body)) }
    }
  })
}
