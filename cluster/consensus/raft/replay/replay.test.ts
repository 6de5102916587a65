import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { replay } from './replay.ts'
import { parseScript } from './script.ts'

/** Scripts of etcd, handed out beside the repository; they are not part of it. */
const folder = join(import.meta.dirname, '../../../../../shared/raft-testdata')
const skip = scripts().length === 0 ? `no scripts in ${folder}` : false

function scripts (): ReadonlyArray<{ readonly name: string, readonly text: string }> {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && entry.name.endsWith('.txt'))
      .map(entry => ({ name: entry.name, text: readFileSync(join(entry.parentPath, entry.name), 'utf8') }))
      .sort((a, b) => a.name.localeCompare(b.name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Lines of expected output, as positions in the text's lines. */
function expectedLines (text: string): readonly number[] {
  let isExpected = false
  return text.split('\n').flatMap((line, at) => {
    const wasSeparator = line === '----'
    if (wasSeparator) isExpected = true
    else if (line.trim() === '') isExpected = false
    return isExpected && !wasSeparator ? [at] : []
  })
}

/** The same script with one thing expected that does not happen: another digit, or where there is none another word. */
function falsified (text: string, pick: number): string {
  const lines = text.split('\n')
  const expected = expectedLines(text)
  const digits = expected.flatMap(at => [...lines[at]!.matchAll(/\d/g)].map(match => ({ at, column: match.index })))
  if (digits.length === 0) {
    const at = expected[pick % expected.length]!
    return lines.with(at, `${lines[at]!}x`).join('\n')
  }
  const { at, column } = digits[pick % digits.length]!
  const line = lines[at]!
  return lines.with(at, `${line.slice(0, column)}${(Number(line[column]) + 1) % 10}${line.slice(column + 1)}`).join('\n')
}

t.test('every script handed out passes', { skip }, async t => {
  t.ok(scripts().length >= 33)
  for (const { name, text } of scripts()) {
    const result = replay(text, 'L3')

    t.strictSame(result?.failures.map(({ line, detail }) => `line ${line}\n${detail}`), [], name)
    t.ok((result?.directives ?? 0) > 0, `${name} has directives`)
  }
})

t.test('every script passes at the lower levels too', { skip }, async t => {
  for (const { name, text } of scripts()) {
    t.strictSame(replay(text, 'L1')?.failures, [], `${name} at L1`)
    t.strictSame(replay(text, 'L2')?.failures, [], `${name} at L2`)
  }
})

t.test('one changed digit in what is expected makes its script fail, wherever it stands', { skip }, async t => {
  for (const { name, text } of scripts()) {
    for (const pick of [0, 7, 101, 1_009, 10_007]) {
      const failures = replay(falsified(text, pick), 'L3')?.failures ?? []
      if (failures.length === 0) return t.fail(`${name} passes although digit ${pick} was changed`)
    }
  }
})

t.test('a changed command makes its script fail', { skip }, async t => {
  const { text } = scripts().find(({ name }) => name === 'campaign.txt')!

  t.equal(replay(text, 'L3')!.failures.length, 0)
  t.not(replay(text.replace('campaign 1', 'campaign 2'), 'L3')!.failures.length, 0)
})

t.test('scripts are told apart by their commands; other texts are none', async t => {
  t.equal(replay('committed cfg=(1) idx=(7)\n----\n     idx\n>      7    (id=1)\n7\n', 'L3')?.kind, 'quorum')
  t.equal(replay('simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1\n', 'L3')?.kind, 'confchange')
  t.equal(replay('log-level none\n----\nok\n', 'L3')?.kind, 'interaction')
  t.equal(replay('# Readme\n\nSome words\n----\n', 'L3'), undefined)
  t.equal(replay('func f (a=(b, // not closed\n', 'L3'), undefined)
})

t.test('an unknown command, or a wrong argument, is answered with what is wrong', async t => {
  const answers = (command: string, answer: string): void => {
    t.strictSame(replay(`log-level none\n----\nok\n\n${command}\n----\n${answer}\n`, 'L3')?.failures, [], command)
  }

  answers('dance', 'unknown command')
  answers('log-level loud', 'log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]')
  answers('add-nodes 1 voters=(1)', 'index must be specified as > 1 due to bootstrap')
  answers('add-nodes 1 voters=(1) index=2 read-only=maybe', 'invalid read-only option "maybe"')
})

t.test('a script that stops the engine fails there and is run to its end', async t => {
  const result = replay('campaign 9\n----\nok\n\nlog-level none\n----\nok\n', 'L3')

  t.equal(result?.directives, 2)
  t.match(result?.failures, [{ line: 1, detail: /there is no node 9/ }])
})

t.test('a single voter elects itself and commits, step by step', async t => {
  const script = `
add-nodes 1 voters=(1) index=3
----
INFO 1 (1)
INFO 1 0
INFO 1 (1) 0 3 3 3 1

campaign 1
----
INFO 1 0
INFO 1 1

process-ready 1
----
Ready MustSync=true:
Lead:0 State:StateCandidate
HardState Term:1 Vote:1 Commit:3
INFO 1 1 1
INFO 1 1 0
INFO 1 1

propose 1 hello
----
ok

stabilize log-level=none
----
ok

raft-log 1
----
1/4 EntryNormal ""
1/5 EntryNormal "hello"
`
  t.strictSame(replay(script, 'L3')?.failures, [])
  t.equal(parseScript(script).length, 6)
})
