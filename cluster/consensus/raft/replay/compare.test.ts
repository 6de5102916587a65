import t from 'tap'
import { comparable, isSame, showDifference } from './compare.ts'
import { traceMark } from './output.ts'

const status = { command: 'status' }
const same = (expected: string, actual: string, level: 'L1' | 'L2' | 'L3'): boolean =>
  isSame(comparable(expected, level, status), comparable(actual, level, status))

t.test('of log lines only level and numbers count', async t => {
  const ours = `${traceMark}INFO stands for election 1 4\n`

  t.ok(same('INFO 1 is on its way at term 4\n', ours, 'L3'))
  t.notOk(same('INFO 1 is on its way at term 5\n', ours, 'L3'))
  t.notOk(same('DEBUG 1 is on its way at term 4\n', ours, 'L3'))
  t.notOk(same('ok\n', ours, 'L3'), 'nor may one be missing')
})

t.test('below L3 log lines do not count, and nothing else is ok', async t => {
  t.ok(same('INFO 1 is on its way at term 5\n', `${traceMark}INFO other words 1 4\n`, 'L2'))
  t.ok(same('INFO 1 is on its way at term 5\n', 'ok', 'L1'))
})

t.test('order counts at L3 only', async t => {
  const first = '1->2 MsgApp Term:1 Log:1/2\n1->3 MsgApp Term:1 Log:1/2\n'
  const second = '1->3 MsgApp Term:1 Log:1/2\n1->2 MsgApp Term:1 Log:1/2\n'

  t.notOk(same(first, second, 'L3'))
  t.ok(same(first, second, 'L2'))
  t.notOk(same(first, '1->2 MsgApp Term:1 Log:1/2\n', 'L2'))
})

t.test('L1 leaves messages out, but not states and refusals', async t => {
  t.ok(same('1->2 MsgApp Term:1 Log:1/2\nraft proposal dropped\n', 'raft proposal dropped\n', 'L1'))
  t.notOk(same('HardState Term:1 Commit:2\n', 'HardState Term:1 Commit:3\n', 'L1'))
})

t.test('differences are shown among what is equal', async t => {
  const text = showDifference(['a', 'b', 'c', 'd', 'e', 'f', 'g'], ['a', 'b', 'c', 'd', 'e', 'x', 'g'])

  t.equal(text, '  c\n  d\n  e\n- f\n+ x\n  g')
})
