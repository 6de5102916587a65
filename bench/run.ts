import { glob } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { didYouMean } from '../cluster/config/suggestion.ts'

/** A measurement: `bench/NAME.ts` or `bench/NAME/main.ts` that exports `bench`. */
interface Measurement { bench (args: readonly string[]): Promise<void> }

/** What measurements are made of. */
const parts: ReadonlySet<string> = new Set(['run.ts', 'harness.ts', 'load.ts', 'content.ts', 'report.ts', 'call.ts'])
const here = fileURLToPath(new URL('.', import.meta.url))
const [name, ...args] = process.argv.slice(2)
const names = await found()
const file = name === undefined ? undefined : names.get(name)
if (file === undefined) {
  process.stderr.write(`${name === undefined ? '' : `no measurement ${JSON.stringify(name)}${didYouMean(name, names.keys())}\n`}usage: npm run bench -- NAME\n  ${[...names.keys()].sort().join('\n  ')}\n`)
  process.exit(1)
}
const { bench } = await import(`./${file}`) as Measurement
await bench(args)
process.exit(0)

async function found (): Promise<Map<string, string>> {
  const files = await Array.fromAsync(glob(['*.ts', '*/main.ts'], { cwd: here }))
  const measurements = files.filter(file => !file.endsWith('.test.ts') && !parts.has(file))
  return new Map(measurements.map(file => [file.replace(/(\/main)?\.ts$/, ''), file]))
}
