import t from 'tap'
import { parseScript, truth, wholeNumber } from './script.ts'

t.test('comments and blank lines part the directives', async t => {
  const directives = parseScript('# a comment\n\n\nfirst 1\n----\nok\n\n# another\nsecond\n----\nok\n')

  t.match(directives, [
    { command: 'first', args: [{ key: '1', values: [] }], input: '', expected: 'ok\n', line: 4 },
    { command: 'second', expected: 'ok\n', line: 9 }
  ])
})

t.test('arguments are words, key=value, or key=(several, values)', async t => {
  const [directive] = parseScript('add-nodes 3 voters=(1, 2,3) index=10 empty=() path=a/b.c\n----\n')

  t.strictSame(directive!.args, [
    { key: '3', values: [] },
    { key: 'voters', values: ['1', '2', '3'] },
    { key: 'index', values: ['10'] },
    { key: 'empty', values: [] },
    { key: 'path', values: ['a/b.c'] }
  ])
})

t.test('a directive goes on in the next line after a backslash', async t => {
  const [directive] = parseScript('add-nodes 3 \\\n  voters=(1,2) \\\n  index=2\n----\nok\n')

  t.match(directive, { command: 'add-nodes', expected: 'ok\n', line: 1 })
  t.equal(directive!.args.length, 3)
})

t.test('what stands before the separator is input', async t => {
  const [directive] = parseScript('propose-conf-change 1 v1=true\nv3 l4\nr5\n----\nok\n')

  t.equal(directive!.input, 'v3 l4\nr5')
})

t.test('doubled separators enclose output with blank lines, and single ones within it', async t => {
  const text = 'one\n----\n----\na\n\n----\nb\n----\n----\n\ntwo\n----\nok\n'

  t.match(parseScript(text), [{ command: 'one', expected: 'a\n\n----\nb\n' }, { command: 'two', expected: 'ok\n' }])
})

t.test('after doubled separators only a blank line may follow', async t => {
  t.throws(() => parseScript('one\n----\n----\na\n----\n----\ntwo\n----\n'), { name: 'ScriptError' })
})

t.test('output may end with the file, and a directive may have none', async t => {
  t.match(parseScript('one\n----\na'), [{ expected: 'a\n' }])
})

t.test('a subtest only groups what follows', async t => {
  const directives = parseScript('subtest x\n\none\n----\nok\n\nsubtest end\n\ntwo\n----\n')

  t.match(directives, [{ command: 'subtest', expected: '' }, { command: 'one', input: '', expected: 'ok\n' }, { command: 'subtest' }, { command: 'two' }])
})

t.test('parentheses bind words only in key=(…), to the end of the outermost', async t => {
  const [directive] = parseScript('propose 1 a(b c) d=(e(f, g) h)\n----\n')

  t.strictSame(directive!.args.map(({ key }) => key), ['1', 'a(b', 'c)', 'd'])
  t.throws(() => parseScript('one d=(e(f)\n----\n'), { name: 'ScriptError' })
})

t.test('numbers and truths are read strictly', async t => {
  t.equal(wholeNumber('12'), 12)
  for (const text of ['', '-1', '1.5', 'x', undefined]) t.throws(() => wholeNumber(text), { name: 'ScriptError' })
  t.equal(truth('true'), true)
  t.equal(truth('0'), false)
  t.throws(() => truth('yes'), { name: 'ScriptError' })
})
