import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { levels } from './compare.ts'
import type { Level } from './compare.ts'
import { replay } from './replay.ts'

const usage = 'usage: raft:replay -- DIR [--level L1|L2|L3] [--quiet]'

/** `npm run raft:replay -- DIR`: every script below DIR, of whichever kind it is. Exit code 1 if one answer differs. */
export async function main (argv: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { level: { type: 'string', default: 'L3' }, quiet: { type: 'boolean', default: false } }
  })
  const level = levels.find(known => known === values.level.toUpperCase())
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0 || level === undefined) {
    print(usage)
    return 2
  }
  return replayFolder(folder, level, values.quiet ? () => {} : print, print)
}

async function replayFolder (folder: string, level: Level, tell: (line: string) => void, sum: (line: string) => void): Promise<number> {
  let files = 0
  let filesPassed = 0
  let directives = 0
  let directivesPassed = 0
  for (const path of await filesBelow(folder)) {
    const result = replay(await readFile(path, 'utf8'), level)
    if (result === undefined) continue
    files++
    directives += result.directives
    directivesPassed += result.directives - result.failures.length
    if (result.failures.length === 0) filesPassed++
    tell(`${result.failures.length === 0 ? 'ok  ' : 'FAIL'} ${relative(folder, path)} (${result.kind}, ${result.directives} directives)`)
    for (const failure of result.failures) {
      tell(`\n${path}:${failure.line} ${failure.command}  (- expected, + answered)\n${failure.detail}\n`)
    }
  }
  sum(`files ${filesPassed}/${files}, directives ${directivesPassed}/${directives}`)
  if (files === 0) sum(`no scripts below ${folder}`)
  return files > 0 && filesPassed === files ? 0 : 1
}

async function filesBelow (folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found.filter(entry => entry.isFile() && !entry.name.startsWith('.') && !entry.name.endsWith('.md'))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), line => { console.log(line) })
