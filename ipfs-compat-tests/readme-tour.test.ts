/** The tour of the README, word for word: each command is run, and what it shows is what the README says it shows. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { eventually } from './harness/eventually.ts'
import { cleanEnv } from './harness/process.ts'

t.setTimeout(1_800_000)

const patience = { timeoutMs: 600_000, intervalMs: 100 }
const commandTimeoutMs = 120_000
const repo = fileURLToPath(new URL('..', import.meta.url))
const tour = /^## A tour\n([^]*?)^## /m.exec(await readFile(join(repo, 'README.md'), 'utf8'))![1]!
const steps = [...tour.matchAll(/^```console\n([^]*?)^```/gm)].flatMap(([, block]) => block!.split(/^\$ /m).slice(1).map(step => {
  const [command = '', ...shown] = step.trimEnd().split('\n')
  return { command, shown: shown.join('\n') }
}))
const env = (folder: string): NodeJS.ProcessEnv => {
  const bin = process.env['IPFS_BIN'] // taken out of the clean environment with all else that is set for peers
  const { CLUSTER_IPFSPROXY_LISTENMULTIADDRESS, CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS, CLUSTER_LISTENMULTIADDRESS, ...clean } = cleanEnv()
  return { ...clean, TMPDIR: folder, PATH: `${dirname(process.execPath)}${delimiter}${clean['PATH'] ?? ''}`, ...bin !== undefined && { IPFS_BIN: bin } }
}

t.test('the tour shows what the README says', async t => {
  const [demo, ...others] = steps
  t.equal(demo?.command, 'npm run demo')
  t.ok(others.length >= 8)
  const child = spawn('npm', ['run', 'demo'], { cwd: repo, env: env(t.testdir()), stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  t.teardown(() => { try { process.kill(-child.pid!, 'SIGKILL') } catch {} })
  const ended = once(child, 'close')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { said += chunk })
  await eventually('the demo is up', () => said.includes('Ctrl-C ends all of it.') || child.exitCode !== null, patience)

  // A process has another number each time, and a port that is taken here is another one: what stands for what is read off the panel.
  const actual = new Map<string, string>()
  const panel = patternOf(demo!.shown, /\b(?<=process |127\.0\.0\.1:)\d{4,}\b/g)
  const found = panel.pattern.exec(said)
  if (found === null) throw new Error(`the panel is not as shown: ${said}`)
  for (const [i, number] of panel.numbers.entries()) actual.set(number, found[i + 1]!)
  const here = (text: string): string => text.replace(/(?<=127\.0\.0\.1:|kill -9 )\d+/g, number => actual.get(number) ?? number)
    .replace(/ctl -- (?=\w)/g, actual.get('9094') === '9094' ? '$&' : `$&--host /ip4/127.0.0.1/tcp/${actual.get('9094')} `)

  for (const { command, shown } of others) {
    // What follows an answer, like a third daemon's pin, follows soon: who is on the tour may have to look twice.
    let last = ''
    await eventually(command, async () => {
      last = await shell(here(command), env(t.testdirName))
      return patternOf(shown).pattern.test(last.trimEnd())
    }, patience).catch((err: unknown) => { throw new Error(`${command}\nshows ${last}\nnot ${shown}`, { cause: err }) })
    t.pass(command)
  }
  process.kill(-child.pid!, 'SIGINT')
  await ended
  t.match(said, 'Ending three peers and what they started.')
})

/** `…` is whatever stands there; a line with nothing else, any lines. Numbers that are asked for are found out. */
function patternOf (shown: string, asked?: RegExp): { readonly pattern: RegExp, readonly numbers: readonly string[] } {
  const numbers = asked === undefined ? [] : [...shown.matchAll(asked)].map(([number]) => number)
  const marked = asked === undefined ? shown : shown.replace(asked, '\u0000')
  const pattern = marked.split('\n').map(line => line === '…' ? '[^]*?' : RegExp.escape(line).replaceAll(RegExp.escape('…'), '.*').replaceAll(RegExp.escape('\u0000'), '(\\d+)')).join('\\n')
  return { pattern: new RegExp(asked === undefined ? `^${pattern}$` : pattern), numbers }
}

async function shell (command: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn('sh', ['-c', command], { cwd: repo, env, stdio: ['ignore', 'pipe', 'inherit'], timeout: commandTimeoutMs, killSignal: 'SIGKILL' })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { out += chunk })
  await once(child, 'close')
  return out
}
