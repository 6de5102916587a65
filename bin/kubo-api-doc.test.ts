import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { deniedOffLoopback } from '../proxy/command-rules.ts'
import { knownCommands } from '../proxy/kubo-commands.ts'
import { interceptedPaths, isRefusedOffLoopback, kuboApiDoc, kuboApiPath, splitTest } from './kubo-api-doc.ts'
import { apiRows, rowOf } from './kubo-api-rows.ts'

const shared = new URL('../../shared/', import.meta.url)
const endpointList = new URL('reference/kubo-endpoints.txt', shared)

t.test('docs/kubo-api.md says what the code says; if not, run npm run docs', async t => {
  t.equal(await readFile(kuboApiPath, 'utf8'), kuboApiDoc())
})

t.test('every command has a row, and every row a command', async t => {
  const paths = [...knownCommands.keys()]
  const rows = kuboApiDoc().split('\n').filter(line => /^\| `/.test(line)).map(line => /`([^`]+)`/.exec(line)![1])

  t.strictSame(rows, paths)
  t.strictSame(apiRows.filter(row => !paths.some(path => rowOf(path) === row)).map(({ of }) => of), [], 'nothing is said of what there is not')
  t.strictSame([...interceptedPaths].filter(path => !knownCommands.has(path)), [])
})

t.test('what is said agrees with what is done', async t => {
  const refusedSaid = [...knownCommands.keys()].filter(path => rowOf(path).tests.some(test => test.includes('off loopback the daemon hears')))
  const groups = (path: string): boolean => knownCommands.get(path)!.marks.has('group')

  t.strictSame(refusedSaid.filter(path => !groups(path) && !isRefusedOffLoopback(path)), [])
  t.strictSame([...knownCommands.values()].filter(({ path, marks }) => isRefusedOffLoopback(path) && !marks.has('local') && !refusedSaid.includes(path)).map(({ path }) => path), [])
  t.strictSame([...knownCommands.keys()].filter(path => rowOf(path).isAggregated === true && !interceptedPaths.has(path)), [])
  t.ok(deniedOffLoopback.length > 0)
})

t.test('each test that is named exists', async t => {
  for (const test of new Set(apiRows.flatMap(({ tests }) => tests))) {
    const [file, title] = splitTest(test)
    if (file === 'recordings') t.ok(!existsSync(shared) || existsSync(new URL(`kubo-recordings/${title}.json`, shared)), test)
    else t.match(await readFile(new URL(`../${file}`, import.meta.url), 'utf8'), `test('${title}'`, test)
  }
})

t.test('the list of commands is that of the reference, and what that leaves out', { skip: !existsSync(endpointList) && 'the reference is not beside this repository' }, async t => {
  const listed = (await readFile(endpointList, 'utf8')).split('\n').filter(line => line !== '' && !line.startsWith('#')).map(line => line.slice(0, line.indexOf(' ')))

  t.strictSame([...knownCommands.keys()].filter(path => !path.startsWith('commands/')), listed)
})

interface CommandTree { readonly Name: string, readonly Subcommands: readonly CommandTree[] | null }

t.test('every command that a daemon has is in the list', async t => {
  await using daemon = await startDaemon()
  const tree = await (await fetch(`http://${daemon.host}:${daemon.port}/api/v0/commands`, { method: 'POST' })).json() as CommandTree
  const pathsOf = ({ Name, Subcommands }: CommandTree, above: string): readonly string[] => [above + Name, ...(Subcommands ?? []).flatMap(one => pathsOf(one, `${above}${Name}/`))]

  t.strictSame((tree.Subcommands ?? []).flatMap(one => pathsOf(one, '')).filter(path => !knownCommands.has(path)), [])
})
