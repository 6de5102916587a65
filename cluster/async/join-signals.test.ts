import { getEventListeners } from 'node:events'
import t from 'tap'
import { joinSignals } from './join-signals.ts'

t.test('it aborts with the first of its signals, for that one\'s reason, also when that was over before', async t => {
  const [one, two] = [new AbortController(), new AbortController()]
  const joined = joinSignals(one.signal, two.signal)
  const reason = new Error('two has ended')

  two.abort(reason)
  one.abort(new Error('later'))

  t.equal(joined.signal.reason, reason)
  t.equal(joinSignals(new AbortController().signal, two.signal).signal.reason, reason)
})

t.test('what is let go of follows nobody, and leaves nothing behind', async t => {
  const one = new AbortController()
  const joined = joinSignals(one.signal, one.signal, new AbortController().signal)

  joined[Symbol.dispose]()
  t.strictSame(getEventListeners(one.signal, 'abort'), [])
  one.abort()

  t.notOk(joined.signal.aborted)
})
