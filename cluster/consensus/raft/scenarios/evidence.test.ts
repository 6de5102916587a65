import { readFile, glob } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import t from 'tap'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const raft = 'cluster/consensus/raft/'
const scenarios = { EL: 13, LR: 17, MC: 20, SN: 10, RD: 6, TR: 9, CL: 6, IC: 14 }
const counterpartsMin = 180

/** Titles as they stand in the source; of one that is put together at run time the constant parts. */
async function titlesOf (path: string): Promise<readonly string[]> {
  const source = await readFile(join(root, path), 'utf8').catch(() => '')
  return [...source.matchAll(/\btest\((['"`])((?:\\.|(?!\1).)*)\1/g)].map(match => match[2]!.replaceAll("\\'", "'"))
}

function hasTitle (titles: readonly string[], claim: string): boolean {
  return titles.some(title => title === claim || title.split(/\$\{[^}]*\}/).some((part, _, parts) => parts.length > 1 && part.trim() === claim))
}

t.test('each of etcd\'s test functions has its line, and each counterpart named there exists', async t => {
  const text = await readFile(join(root, 'docs/raft-go-tests.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `(Test\w+)` \| (.+) \|$/gm)].map(([, name, cell]) => ({ name: name!, cell: cell! }))
  const mapped = rows.filter(({ cell }) => !cell.startsWith('–'))
  for (const { name, cell } of mapped) {
    for (const counterpart of cell.split('<br>')) {
      const [, file, claim] = /^`(.+\.test\.ts)`: (.+)$/.exec(counterpart) ?? []
      if (file === undefined || claim === undefined || !hasTitle(await titlesOf(raft + file), claim)) t.fail(`${name}: no test "${counterpart}"`)
    }
  }

  t.equal(rows.length, 258)
  t.ok(mapped.length >= counterpartsMin, `${mapped.length} have a counterpart`)
  t.match(text, `: ${mapped.length} of ${rows.length}`)
})

t.test('each known scenario has a test with its id in the title, or says where else it is looked at', async t => {
  const tested = new Set<string>()
  for await (const path of glob(`${raft}**/*.test.ts`, { cwd: root })) {
    for (const title of await titlesOf(path)) for (const [id] of title.matchAll(/\b[A-Z]{2}-\d{2}\b/g)) tested.add(id)
  }
  const evidence = await readFile(join(root, 'docs/raft-evidence.md'), 'utf8')
  const elsewhere = new Set([...evidence.matchAll(/^\| ([A-Z]{2}-\d{2}) \|/gm)].map(match => match[1]!))
  const ids = Object.entries(scenarios).flatMap(([kind, count]) => Array.from({ length: count }, (_, at) => `${kind}-${String(at + 1).padStart(2, '0')}`))

  t.equal(ids.length, 95)
  t.strictSame(ids.filter(id => !tested.has(id) && !elsewhere.has(id)), [], 'nowhere')
  t.strictSame([...elsewhere].filter(id => tested.has(id) || !ids.includes(id)), [], 'said to be elsewhere, and here')
})
