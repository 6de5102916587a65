import t from 'tap'
import { answersPerSessionMax, SessionTable, sessionsMax } from './sessions.ts'

const id = (session: number, sequence: number, answeredBelow = 0): { session: number, sequence: number, answeredBelow: number } => ({ session, sequence, answeredBelow })
const answer = Uint8Array.of(7)

t.test('a request is admitted once; repeated, it has its first answer', async t => {
  const table = new SessionTable()
  table.open(5)

  t.equal(table.admit(id(5, 0), 6), 'new')
  t.equal(table.admit(id(5, 0), 7), 'answered', 'even before the answer is known')
  table.settle(id(5, 0), answer)

  t.equal(table.admit(id(5, 0), 8), 'answered')
  t.strictSame(table.answer(id(5, 0)), answer)
})

t.test('what the client has had answered is forgotten, and never applied again', async t => {
  const table = new SessionTable()
  table.open(5)
  table.admit(id(5, 0), 6)
  table.admit(id(5, 1, 1), 7)

  t.equal(table.admit(id(5, 0), 8), 'expired')
  t.equal(table.admit(id(5, 1), 9), 'answered')
})

t.test('the session unused for longest gives way, and its requests are refused, not repeated', async t => {
  const table = new SessionTable()
  for (let index = 1; index <= sessionsMax; index++) table.open(index)
  table.admit(id(1, 0), sessionsMax + 1)
  table.open(sessionsMax + 2)

  t.equal(table.admit(id(1, 0), sessionsMax + 3), 'answered', 'it was used')
  t.equal(table.admit(id(2, 0), sessionsMax + 4), 'expired')
  t.equal(table.size, sessionsMax)
})

t.test('answers of one session are bounded', async t => {
  const table = new SessionTable()
  table.open(1)
  for (let sequence = 0; sequence <= answersPerSessionMax; sequence++) table.admit(id(1, sequence), 2 + sequence)

  t.equal(table.admit(id(1, 0), 9_999), 'expired')
  t.equal(table.admit(id(1, 1), 9_999), 'answered')
})

t.test('rows carry the whole table, order of use included', async t => {
  const table = new SessionTable()
  table.open(1)
  table.open(2)
  table.admit(id(1, 3, 2), 3)
  table.settle(id(1, 3), answer)
  const copy = new SessionTable()

  copy.load(table.rows().toReversed())

  t.strictSame(copy.rows(), table.rows())
  t.strictSame([...copy.answer(id(1, 3))!], [...answer])
  t.equal(copy.admit(id(1, 1), 4), 'expired')
  t.strictSame(table.takeChanged().map(([session]) => session), [1, 2])
})
