import { join } from 'node:path'
import t from 'tap'
import { readKnown } from '../harness/recordings/known-differences.ts'
import { judgeScript, lineOf, scriptOf } from './judge.ts'
import { openBench } from './trial.ts'

/** More of them, by hand: `node ipfs-compat-tests/differential/main.ts --seed 2 --count 1000`. */
const seed = 1
const scripts = 80

t.setTimeout(900_000)

t.test('nobody can tell the proxy from its daemon by random requests', async t => {
  const allowed = await readKnown(join(import.meta.dirname, 'allowed.json'))
  await using bench = await openBench()

  for (let number = 0; number < scripts; number++) {
    const finding = await judgeScript(bench, scriptOf(seed, number), allowed, { shrinks: false })
    if (finding === undefined || finding.isUnsteady) continue
    t.fail(`seed ${seed} number ${number}: ${finding.differences.join('; ')}`, { script: JSON.stringify(finding.script), requests: finding.script.map(lineOf) })
  }
  t.pass(`${scripts} scripts`)
})
