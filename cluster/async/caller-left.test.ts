import t from 'tap'
import { CallerLeftError, committable } from './caller-left.ts'

t.test('until it is committed a caller who leaves ends it', async t => {
  const asked = new AbortController()
  const { signal } = committable(asked.signal)

  asked.abort(new CallerLeftError('client went away'))

  t.equal(signal.reason, asked.signal.reason)
})

t.test('from then on a caller may leave', async t => {
  const asked = new AbortController()
  const { signal, commit } = committable(asked.signal)

  commit()
  asked.abort(new CallerLeftError('client went away'))

  t.notOk(signal.aborted)
})

t.test('but whose time is up still ends it', async t => {
  const asked = new AbortController()
  const { signal, commit } = committable(asked.signal)

  commit()
  asked.abort(new Error('context deadline exceeded'))

  t.match(signal.reason, { message: 'context deadline exceeded' })
})

t.test('who had left before it began ends it', async t => {
  const asked = AbortSignal.abort(new CallerLeftError('client went away'))

  const { signal } = committable(asked)

  t.equal(signal.reason, asked.reason)
})
