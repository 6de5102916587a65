import { call, callJson } from './call.ts'
import { fileBody, mib, randomBytes } from './content.ts'
import { compare, contestOf, secondsOf } from './harness.ts'
import type { Side } from './harness.ts'

const size = 128 * mib

/** A large answer that the proxy only carries. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await contestOf(args)
  const content = randomBytes(size)
  const hashes = new Map<Side, string>()
  for (const side of contest.among) hashes.set(side, (await callJson(side, 'add?quieter=true', fileBody(content))).at(-1).Hash)
  await compare(contest, {
    title: 'cat of 128 MiB',
    rounds: contest.rounds ?? 15,
    measured: { rate: { unit: 'MB/s', goals: { bare: { atLeast: 0.9 } } } },
    round: async side => {
      let bytes = 0
      const seconds = await secondsOf(() => call(side, `cat?arg=${hashes.get(side)}`, undefined, chunk => { bytes += chunk.byteLength }))
      if (bytes !== size) throw new Error(`${side.name}: ${bytes} bytes came`)
      return { rate: size / seconds / 1e6 }
    }
  })
}
