import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { mutants } from './all.ts'
import { evidenceTable, withSection } from './evidence.ts'
import { killerText, mutate } from './mutant.ts'
import { openWorkshop } from './workshop.ts'
import { expectedSeconds, sampleWithin, withSampleSeconds } from './sample.ts'
import type { Mutant } from './mutant.ts'
import type { Verdict, Workshop } from './workshop.ts'

const root = fileURLToPath(new URL('../../../../../', import.meta.url))
const raftFolder = new URL('../../', import.meta.url)

const usage = `npm run raft:mutants -- [--sample [SECONDS]] [--only ID,ID] [--workers W] [--evidence FILE]

  --sample SECONDS   only as many mutants as fit in that time, always the same ones; none is begun
                     that is not expected to be done by then                       (300)
  --only ID,ID       these
  --workers W        copies of the sources to work on at the same time       (2)
  --evidence FILE    writes the table into this file, between its markers
`

/** `npm run raft:mutants`: exit code 1 when a mutant survives or no longer fits the source. */
async function main (argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...withSampleSeconds(argv)],
    options: {
      sample: { type: 'string' }, only: { type: 'string' }, workers: { type: 'string', default: '2' }, evidence: { type: 'string' }, help: { type: 'boolean' }
    }
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const stale = mutants.flatMap(staleness)
  for (const complaint of stale) console.error(complaint)
  if (stale.length > 0) return 1

  const only = values.only?.split(',')
  const chosen = only !== undefined
    ? mutants.filter(({ id }) => only.includes(id))
    : values.sample === undefined ? mutants : sampleWithin(mutants, Number(values.sample))
  const began = performance.now()
  const verdicts = await judgeAll(chosen, Number(values.workers), began + Number(values.sample ?? Infinity) * 1_000)
  if (verdicts === undefined) return 1

  const survivors = verdicts.filter(({ killer }) => killer === undefined)
  const seconds = (performance.now() - began) / 1_000
  const summary = `${verdicts.length - survivors.length} of ${verdicts.length} mutants killed in ${seconds.toFixed(0)} s (${mutants.length} in all)`
  console.log(summary)
  if (verdicts.length < chosen.length) console.log(`${chosen.length - verdicts.length} more were chosen and not begun: the time was up`)
  for (const { mutant: { id, what } } of survivors) console.log(`survived: ${id}, ${what}`)
  if (values.evidence !== undefined) {
    writeFileSync(values.evidence, withSection(readFileSync(values.evidence, 'utf8'), evidenceTable(verdicts, summary)))
  }
  const provesNothing = verdicts.length === 0 && chosen.length > 0
  return survivors.length > 0 || provesNothing ? 1 : 0
}

/** Sources unchanged must pass everything that is to notice mutants, or a kill says nothing. */
async function judgeAll (chosen: readonly Mutant[], workers: number, untilMs: number): Promise<readonly Verdict[] | undefined> {
  const verdicts: Verdict[] = []
  const waiting = [...chosen]
  const killers = [...new Map(chosen.flatMap(({ killers }) => killers).map(killer => [killerText(killer), killer])).values()]
  let sick = false
  const lane = async (workshop: Workshop): Promise<void> => {
    using open = workshop
    for (let killer = killers.shift(); killer !== undefined; killer = killers.shift()) {
      const complaint = await open.checkHealthy(killer)
      if (complaint === undefined) continue
      console.error(`${killerText(killer)} fails without a mutant: ${complaint}`)
      sick = true
    }
    const fits = (mutant: Mutant): boolean => performance.now() + expectedSeconds(mutant) * 1_000 < untilMs
    for (let mutant = waiting.shift(); mutant !== undefined && !sick && fits(mutant); mutant = waiting.shift()) {
      const verdict = await open.judge(mutant)
      verdicts.push(verdict)
      console.log(`${verdict.killer === undefined ? 'SURVIVED' : 'killed  '} ${mutant.id.padEnd(5)} ${verdict.seconds.toFixed(1).padStart(6)} s  ${verdict.killer ?? ''}  ${verdict.reason.slice(0, 120)}`)
    }
  }
  await Promise.all(Array.from({ length: workers }, async () => { await lane(openWorkshop(root)) }))
  if (sick) return undefined
  return verdicts.sort((a, b) => mutants.indexOf(a.mutant) - mutants.indexOf(b.mutant))
}

function staleness (mutant: Mutant): readonly string[] {
  try {
    mutate(readFileSync(new URL(mutant.file, raftFolder), 'utf8'), mutant)
    return []
  } catch (err) {
    return [(err as Error).message]
  }
}

process.exitCode = await main(process.argv.slice(2))
