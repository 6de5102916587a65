import t from 'tap'
import { drawSettings, profileNames } from './settings.ts'
import { run } from './run.ts'
import { runBatch } from './batch.ts'
import type { ProfileName, RunRequest } from './settings.ts'

/** Enough to notice most mutants within seconds; the long runs are `npm run raft:sim`. */
const batches: Record<ProfileName, Pick<RunRequest, 'voters' | 'learners'> & { readonly seeds: number }> = {
  hostile: { voters: 3, learners: 1, seeds: 30 },
  calm: { voters: 3, learners: 0, seeds: 2 },
  membership: { voters: 3, learners: 1, seeds: 10 },
  disk: { voters: 5, learners: 0, seeds: 10 },
  model: { voters: 3, learners: 0, seeds: 10 }
}

for (const profile of profileNames) {
  const { seeds, voters, learners } = batches[profile]
  t.test(`${seeds} seeds of ${profile} weather break no rule, and the peers agree afterwards`, async t => {
    const result = runBatch({ firstSeed: 1, seeds, voters, learners, ticks: 300, profile, without: [] })

    t.strictSame(result.failures.map(({ request, failure }) => `seed ${request.seed}: ${failure?.message}`), [])
    t.ok(result.commits > seeds, 'something was committed')
    t.ok(result.elections >= seeds, 'somebody was elected')
  })

  t.test(`a seed of ${profile} weather takes the same steps every time`, async t => {
    const request = { seed: 42, voters: 3, learners: 1, ticks: 120, profile }
    const [first, second, other] = [run(request), run(request), run({ ...request, seed: 43 })]

    t.equal(first.hash, second.hash)
    t.not(first.hash, other.hash)
  })
}

t.test('a longer run begins with the shorter one', async t => {
  const request: RunRequest = { seed: 7, voters: 3, learners: 0, ticks: 200, profile: 'hostile' }
  const never = { ...drawSettings(request), crash: 0 }

  t.equal(run({ ...request, ticks: 50 }, never).hash, run({ ...request, ticks: 50 }, never).hash)
  t.ok(run(request, never).events > run({ ...request, ticks: 50 }, never).events)
})

t.test('MC-20 a hundred scripts of additions, removals, replacements and transfers, one to seven voters and up to fifty learners, under fire', async t => {
  const scripts: Array<Pick<RunRequest, 'voters' | 'learners'> & { readonly seeds: number }> = [
    ...[1, 2, 3, 4, 5, 7].map(voters => ({ voters, learners: voters % 3, seeds: 16 })), { voters: 3, learners: 50, seeds: 4 }
  ]
  let commits = 0
  for (const { voters, learners, seeds } of scripts) {
    const result = runBatch({ firstSeed: 2_000, seeds, voters, learners, ticks: 120, profile: 'membership', without: [] })
    t.strictSame(result.failures.map(({ request, failure }) => `seed ${request.seed}: ${failure?.message}`), [], `${voters} voters, ${learners} learners`)
    commits += result.commits
  }

  t.equal(scripts.reduce((sum, { seeds }) => sum + seeds, 0), 100)
  t.ok(commits > 100)
})
