/**
 * node ipfs-compat-tests/differential/main.ts [--seed N] [--count M] [--from K] [--only PATH] [--guarded] [--script JSON] | --recordings [--group G]…
 *
 * Asks a bare daemon and the proxy before an equal one the same and prints what a client could tell them apart by: random requests by
 * their seed, one script, or the requests of the recordings, which are sent in their order. `IPFS_BIN` names the daemon, else it is the
 * embedded one. `--only` takes the commands whose path begins so, `--guarded` gives the daemons users (`API.Authorizations`) and headers of
 * their own, and each request a caller. Ends with 1 when something differs that `allowed.json` does not name.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { judge, readKnown } from '../harness/recordings/known-differences.ts'
import { loadGroups } from '../harness/recordings/recording.ts'
import type { RecordedCase, RecordedRequest } from '../harness/recordings/recording.ts'
import { isAllowed, judgeScript, lineOf, scriptOf } from './judge.ts'
import type { Finding } from './judge.ts'
import { openBench, runGroup } from './trial.ts'

const { values: given } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' }, count: { type: 'string', default: '200' }, from: { type: 'string', default: '0' }, only: { type: 'string', default: '' }, script: { type: 'string' }, guarded: { type: 'boolean', default: false },
    recordings: { type: 'boolean', default: false }, group: { type: 'string', multiple: true, default: [] }
  }
})
/** Whoever interrupts it still has its daemons ended. */
let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { isStopping = true })

const allowed = await readKnown(join(import.meta.dirname, 'allowed.json'))
const failures = given.recordings || given.group.length > 0 ? await compareRecordings() : await compareRandom()
console.log(failures === 0 ? 'nothing differs that is not allowed' : `${failures} differ`)
process.exitCode = failures === 0 ? 0 : 1

async function compareRandom (): Promise<number> {
  await using bench = await openBench(given.guarded)
  if (given.script !== undefined) return report(await judgeScript(bench, JSON.parse(given.script) as readonly RecordedRequest[], allowed, { shrinks: false }), '')
  let failures = 0
  for (let number = Number(given.from); number < Number(given.from) + Number(given.count) && !isStopping; number++) {
    const script = scriptOf(Number(given.seed), number, { only: path => path.startsWith(given.only), isGuarded: given.guarded })
    failures += report(await judgeScript(bench, script, allowed, { shrinks: true }), `seed ${given.seed} number ${number}`)
  }
  return failures
}

function report (finding: Finding | undefined, name: string): number {
  if (finding === undefined) return 0
  const { script, differences, isUnsteady } = finding
  console.log(`\n--- ${name}${isUnsteady ? ' (not each time)' : ''}\n${script.map(lineOf).join('\n')}\n    ${differences.join('\n    ')}`)
  console.log(`    again: node ipfs-compat-tests/differential/main.ts${given.guarded ? ' --guarded' : ''} --script '${JSON.stringify(script).replaceAll("'", '\'\\\'\'')}'`)
  return isUnsteady ? 0 : 1
}

/** Recordings have large uploads, and say which requests are not answered. */
function patiently ({ name, request, response }: RecordedCase): Pick<RecordedCase, 'name' | 'request'> {
  return { name, request: { timeoutMs: response.noAnswer === true ? 2_000 : 20_000, ...request } }
}

async function compareRecordings (): Promise<number> {
  let failures = 0
  for (const { group, cases, daemon } of await loadGroups(given.group)) {
    if (isStopping) break
    for await (const { name, request, daemon: kind, differences } of runGroup(cases.map(patiently), daemon)) {
      if (differences.length > 0 && isAllowed(kind, request, differences, allowed)) continue
      const wrong = judge(`${group}/${name}`, { name, isExact: differences.length === 0, isSameMeaning: false, differences: differences.map(text => ({ where: 'meaning', text }) as const) }, allowed)
      if (wrong === undefined) continue
      failures++
      console.log(`\n--- ${group}/${name}\n    ${wrong.replaceAll('\n', '\n    ')}`)
    }
    console.log(`${group}: ${cases.length} requests`)
  }
  return failures
}
