/**
 * node ipfs-compat-tests/harness/recordings/main.ts [--target kubo|embedded|URL|MODULE] [--group G]… [--quiet] [--write FILE]
 *
 * Sends the recordings to a server and prints every difference, then a table. `kubo` is the one that IPFS_BIN names. A URL is a
 * server that stands on a fresh repo already, so one group a run. A MODULE exports `startTarget: StartTarget`, called once a group.
 * `--write` brings the lists of known differences in FILE up to date by the reasons in it, and ends with 1 if one is not covered.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { startDaemon } from '../kubo.ts'
import { placeholdersOf } from '../placeholders.ts'
import { writeKnown } from './known-differences.ts'
import { loadGroups } from './recording.ts'
import { replayGroup } from './replay.ts'
import type { CaseResult, StartTarget } from './replay.ts'

const { values: { target: named, group: names, quiet, write } } = parseArgs({
  options: { target: { type: 'string', default: 'embedded' }, group: { type: 'string', multiple: true, default: [] }, quiet: { type: 'boolean', default: false }, write: { type: 'string' } }
})

const startTarget = await targetOf(named)
const groups = await loadGroups(names)
if (groups.length === 0) throw new Error('the recordings are not at hand')
if (/^https?:/.test(named) && groups.length > 1) throw new Error('each group needs a fresh repo: name one with --group')

if (write !== undefined && names.length > 0) throw new Error('the lists are of all groups')

const counts: Count[] = []
const differing: string[] = []
for (const group of groups) {
  await using target = await startTarget(group.daemon)
  const results = await replayGroup(group, target)
  if (!quiet) printDifferences(group.group, results)
  counts.push(count(group.group, results))
  differing.push(...results.filter(({ isExact }) => !isExact).map(({ name }) => `${group.group}/${name}`))
}
printTable([...counts, counts.reduce((a, b) => ({ group: 'all', exact: a.exact + b.exact, meaning: a.meaning + b.meaning, total: a.total + b.total }))])

if (write !== undefined) {
  const unexplained = await writeKnown(write, differing)
  for (const name of unexplained) console.log(`no reason covers ${name}`)
  process.exitCode = unexplained.length === 0 ? 0 : 1
}

interface Count { readonly group: string, readonly exact: number, readonly meaning: number, readonly total: number }

async function targetOf (target: string): Promise<StartTarget> {
  if (target === 'kubo' || target === 'embedded') return async options => await startDaemon(options, target)
  if (!/^https?:/.test(target)) return (await import(pathToFileURL(resolve(target)).href) as { startTarget: StartTarget }).startTarget
  const { hostname, port } = new URL(target)
  return async () => ({ host: hostname, port: Number(port), values: await placeholdersOf(hostname, Number(port)), async [Symbol.asyncDispose] () {} })
}

function count (group: string, results: readonly CaseResult[]): Count {
  return { group, exact: results.filter(r => r.isExact).length, meaning: results.filter(r => r.isSameMeaning).length, total: results.length }
}

function printDifferences (group: string, results: readonly CaseResult[]): void {
  for (const { name, differences } of results.filter(({ isExact }) => !isExact)) {
    console.log(`${group} | ${name}\n   ${differences.map(({ text }) => text).join('\n   ')}`)
  }
}

function printTable (rows: readonly Count[]): void {
  const percent = (n: number, total: number): string => `${(100 * n / total).toFixed(1)} %`.padStart(8)
  console.log(`\n${'group'.padEnd(24)} exact  same meaning  total`)
  for (const { group, exact, meaning, total } of rows) {
    console.log(`${group.padEnd(24)} ${String(exact).padStart(5)}${percent(exact, total)} ${String(meaning).padStart(5)}${percent(meaning, total)} ${String(total).padStart(6)}`)
  }
}
