import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { glob } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { didYouMean } from '../cluster/config/suggestion.ts'

/** A measurement: `bench/NAME.ts` or `bench/NAME/main.ts` that exports `bench`. */
interface Measurement { bench (args: readonly string[]): Promise<void> }

/** What measurements are made of. */
const parts: ReadonlySet<string> = new Set(['run.ts', 'harness.ts', 'load.ts', 'content.ts', 'report.ts', 'call.ts', 'history.ts', 'output.ts', 'process-figures.ts'])
/** Those that take `--peers`, `--against` and `--rounds`, see `sideArguments`. */
const ofSides: ReadonlySet<string> = new Set(['pass-through', 'cat', 'pin-add', 'add', 'dag-import', 'cluster-pins', 'cluster-add', 'cluster-car', 'list', 'resident', 'uploads'])
/** Not among `all`: some look back, some take many minutes. */
const apart: ReadonlySet<string> = new Set(['compare', 'plots', 'growth', 'scale'])
const here = fileURLToPath(new URL('.', import.meta.url))
const [name, ...rest] = process.argv.slice(2).filter(arg => arg !== '--json')
const names = await found()
if (name === 'all') process.exit(await runAll(rest) ? 0 : 1)
const file = name === undefined ? undefined : names.get(name)
if (file === undefined) {
  const all = ['all', ...names.keys()]
  process.stderr.write(`${name === undefined ? '' : `no measurement ${JSON.stringify(name)}${didYouMean(name, all)}\n`}usage: npm run bench -- NAME [--json]\n  ${all.sort().join('\n  ')}\n`)
  process.exit(1)
}
const { bench } = await import(`./${file}`) as Measurement
await bench(rest)
process.exit(0)

async function found (): Promise<Map<string, string>> {
  const files = await Array.fromAsync(glob(['*.ts', '*/main.ts'], { cwd: here }))
  const measurements = files.filter(file => !file.endsWith('.test.ts') && !parts.has(file))
  return new Map(measurements.map(file => [file.replace(/(\/main)?\.ts$/, ''), file]))
}

/** One after the other, each in a process of its own. With arguments only those that take them. Resolves whether all ended well. */
async function runAll (args: readonly string[]): Promise<boolean> {
  const chosen = [...names.keys()].filter(name => !apart.has(name) && (args.length === 0 || ofSides.has(name))).sort()
  const json = process.argv.includes('--json') ? ['--json'] : []
  const failed: string[] = []
  for (const name of chosen) {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), name, ...args, ...json], { stdio: 'inherit' })
    const [code] = await once(child, 'close') as [number | null]
    if (code !== 0) failed.push(name)
  }
  if (failed.length > 0) process.stderr.write(`did not run to the end: ${failed.join(', ')}\n`)
  return failed.length === 0
}
