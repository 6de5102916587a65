import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { main } from './main.ts'

const passing = 'vote cfg=(1) votes=(y)\n----\nVoteWon\n'
const failing = 'vote cfg=(1) votes=(n)\n----\nVoteWon\n\nvote cfg=(1) votes=(_)\n----\nVotePending\n'

async function run (argv: readonly string[]): Promise<{ readonly code: number, readonly lines: readonly string[] }> {
  const lines: string[] = []
  const code = await main(argv, line => { lines.push(line) })
  return { code, lines }
}

t.test('counts what passed in all folders below, and fails if one answer differs', async t => {
  const dir = t.testdir({ 'a.txt': passing, 'README.md': 'simple\n----\n', sub: { 'b.txt': passing } })

  t.match(await run([dir]), { code: 0, lines: [/a\.txt/, /b\.txt/, 'files 2/2, directives 2/2'] })

  await mkdir(join(dir, 'more'))
  await writeFile(join(dir, 'more/c.txt'), failing)
  const { code, lines } = await run([dir, '--level', 'l2'])
  t.equal(code, 1)
  t.equal(lines.at(-1), 'files 2/3, directives 3/4')
  t.match(lines.join('\n'), /c\.txt:1 vote .*\n- VoteWon\n\+ VoteLost/)
})

t.test('a folder without scripts does not pass', async t => {
  const dir = t.testdir({ 'notes.txt': 'nothing to run\n' })

  t.match(await run([dir]), { code: 1, lines: ['files 0/0, directives 0/0', /no scripts/] })
})

t.test('wrong arguments are answered with the usage', async t => {
  t.match(await run([]), { code: 2, lines: [/usage/] })
  t.match(await run(['x', '--level', 'L9']), { code: 2, lines: [/usage/] })
})
