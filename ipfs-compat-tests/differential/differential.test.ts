import { join } from 'node:path'
import t from 'tap'
import { readKnown } from '../harness/recordings/known-differences.ts'
import { judgeScript, lineOf, scriptOf } from './judge.ts'
import { openBench } from './trial.ts'

/** More of them, by hand: `node ipfs-compat-tests/differential/main.ts --seed 2 --count 1000`. */
const seed = 1
const scripts = 50
/** To daemons with users. */
const guardedScripts = 15

t.setTimeout(900_000)

for (const [whose, isGuarded, count] of [['', false, scripts], [' of callers that its users, pages and preflights let in or not', true, guardedScripts]] as const) {
  t.test(`nobody can tell the proxy from its daemon by random requests${whose}`, async t => {
    const allowed = await readKnown(join(import.meta.dirname, 'allowed.json'))
    await using bench = await openBench(isGuarded)

    for (let number = 0; number < count; number++) {
      const finding = await judgeScript(bench, scriptOf(seed, number, { isGuarded }), allowed, { shrinks: false })
      if (finding === undefined || finding.isUnsteady) continue
      t.fail(`seed ${seed} number ${number}: ${finding.differences.join('; ')}`, { script: JSON.stringify(finding.script), requests: finding.script.map(lineOf) })
    }
    t.pass(`${count} scripts`)
  })
}
