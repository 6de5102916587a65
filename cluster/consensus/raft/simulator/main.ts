import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { parseSimulatorArgs, usage } from './args.ts'
import { replayCommand, settingsWithout, shrink } from './shrink.ts'
import { run } from './run.ts'
import { traceLine } from './trace.ts'
import { runBatches } from './pool.ts'
import type { Batch, BatchResult } from './batch.ts'
import type { RunResult } from './run.ts'
import type { SimulatorArgs } from './args.ts'

const seedsPerBatch = 25
const shownFailuresMax = 5

/** `npm run raft:sim`: runs seeds and says what they did. Exit code 1 when one broke a rule, 2 when it was asked wrongly. */
async function main (argv: readonly string[]): Promise<number> {
  let args: SimulatorArgs
  try {
    args = parseSimulatorArgs(argv)
  } catch (err) {
    console.error(`${(err as Error).message}\n\n${usage}`)
    return 2
  }
  if (args.help) {
    console.log(usage)
    return 0
  }
  const { firstSeed, lastSeed, voters, learners, ticks, profile } = args
  console.log(`seeds ${firstSeed}..${lastSeed}, ${voters} voters, ${learners} learners, ${ticks} ticks, ${profile}`)

  if (args.trace !== undefined) return traceSeed(args, args.trace)

  const began = performance.now()
  const results = await runBatches(batchesOf(args), args.workers, ({ failures }) =>
    failures.length > 0 || performance.now() - began > args.seconds * 1_000)
  report(args, results, (performance.now() - began) / 1_000)

  const failures = results.flatMap(({ failures }) => failures)
  for (const failure of failures.slice(0, shownFailuresMax)) console.log(`\n${describe(failure)}`)
  const first = failures[0]
  if (first === undefined) return 0
  explain(first, args)
  return 1
}

/** What a seed does is the same with and without being written down. */
function traceSeed ({ firstSeed: seed, voters, learners, ticks, profile, without }: SimulatorArgs, path: string): number {
  const request = { seed, voters, learners, ticks, profile }
  const lines: string[] = []
  const { failure, hash } = run(request, settingsWithout(request, without), event => { lines.push(traceLine(event)) })
  writeFileSync(path, lines.join(''))
  console.log(`trace ${hash}, ${lines.length} events`)
  if (failure === undefined) return 0
  console.log(`seed ${seed} failed at tick ${failure.tick}\n  ${failure.message}`)
  return 1
}

function batchesOf ({ firstSeed, lastSeed, voters, learners, ticks, profile, without }: SimulatorArgs): readonly Batch[] {
  const batches: Batch[] = []
  for (let seed = firstSeed; seed <= lastSeed; seed += seedsPerBatch) {
    batches.push({ firstSeed: seed, seeds: Math.min(seedsPerBatch, lastSeed - seed + 1), voters, learners, ticks, profile, without })
  }
  return batches
}

function report ({ hashes, workers }: SimulatorArgs, results: readonly BatchResult[], seconds: number): void {
  const all = results.flatMap(({ firstSeed, hashes }) => hashes.map((hash, at) => ({ seed: firstSeed + at, hash })))
  const sum = (of: (result: BatchResult) => number): number => results.reduce((total, result) => total + of(result), 0)
  if (hashes) for (const { seed, hash } of all) console.log(`seed ${seed}: trace ${hash}`)

  const combined = all.length === 1 ? all[0]?.hash : createHash('sha256').update(all.map(({ hash }) => hash).join('')).digest('hex').slice(0, 16)
  const ticks = sum(({ ticks }) => ticks)
  console.log(`${all.length} seeds, ${ticks} ticks, ${sum(({ elections }) => elections)} elections, ${sum(({ commits }) => commits)} commits, ` +
    `${sum(({ acknowledged }) => acknowledged)} acknowledged writes`)
  console.log(`trace ${combined ?? ''}`)
  console.log(`${seconds.toFixed(1)} s, ${Math.round(ticks / seconds)} ticks/s, ${Math.round(all.length / seconds * 60)} seeds/min on ${workers} threads`)
  console.log(`${sum(({ failures }) => failures.length)} seeds failed`)
}

function describe ({ request: { seed }, failure, hash }: RunResult): string {
  return `seed ${seed} failed at tick ${failure?.tick} (trace ${hash})\n  ${failure?.message}`
}

function explain (failed: RunResult, { without, quick }: SimulatorArgs): void {
  console.log(`\nreplay:   ${replayCommand({ result: failed, without })}`)
  if (quick) return
  const shrunk = shrink(failed, without)
  console.log(`shortest: ${replayCommand(shrunk)}`)
  console.log(`  ${shrunk.result.failure?.message}`)
  console.log(shrunk.result.failure?.stack)
}

process.exitCode = await main(process.argv.slice(2))
