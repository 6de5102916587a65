import t from 'tap'
import { ClusterError, OtherSecretError } from '../api/errors.ts'
import { reasonOf, unreached } from './reason.ts'

t.test('whatever is thrown is put into words, never into "undefined"', async t => {
  const nameless = Object.assign(new Error(''), { name: 'StreamResetError' })
  const broken = Object.assign(new Error('x'), { message: undefined as unknown as string })

  t.strictSame([undefined, null, new Error(''), broken].map(reasonOf), Array(4).fill('the connection ended'))
  t.strictSame([nameless, 'in text', new Error('refused')].map(reasonOf), ['StreamResetError', 'in text', 'refused'])
})

t.test('of several failures each is said once, however they are nested', async t => {
  const nested = new AggregateError([new Error('a'), new AggregateError([new Error('b'), new Error('a')])])

  t.equal(reasonOf(nested), 'a; b')
  t.equal(reasonOf(new AggregateError([], 'no address could be dialled')), 'no address could be dialled')
})

t.test('that a peer has another secret is still known when it was found out at one of its addresses', async t => {
  const err = unreached('cannot connect', new AggregateError([new Error('nobody listens'), new OtherSecretError('another secret')]))

  t.ok(err instanceof OtherSecretError)
  t.match(err, { code: 'ERR_PEER_FAILED', message: 'cannot connect: nobody listens; another secret' })
  const away = unreached('cannot connect', new Error('nobody listens'))
  t.ok(away instanceof ClusterError && !(away instanceof OtherSecretError))
})
