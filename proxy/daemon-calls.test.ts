import { Readable } from 'node:stream'
import t from 'tap'
import { authorizationOf, jsonLines, parseExact, queryText } from './daemon-calls.ts'

t.test('integers that no double holds come whole', async t => {
  t.strictSame(parseExact('{"StorageMax":18446744073709551615,"n":3,"s":"12345678901234567890"}'), { StorageMax: 18446744073709551615n, n: 3, s: '12345678901234567890' })
})

t.test('lines are found wherever the pieces are cut', async t => {
  const pieces = ['{"a":', '1}\n{"b":2}\n\n{', '"c":"ü', '"}'].map(text => Buffer.from(text))

  t.strictSame(await Array.fromAsync(jsonLines(Readable.from(pieces))), [{ a: 1 }, { b: 2 }, { c: 'ü' }])
})

t.test('a query carries any bytes', async t => {
  t.equal(queryText([['arg', '/ipfs/Qm/a b+c%&é\udcff'], ['x', '']]), '?arg=/ipfs/Qm/a%20b%2Bc%25%26%C3%A9%FF&x=')
  t.equal(queryText([]), '')
})

t.test('credentials are spelt as the daemon spells them', async t => {
  t.equal(authorizationOf('bearer:abc'), 'Bearer abc')
  t.equal(authorizationOf('basic:user:pass:word'), `Basic ${Buffer.from('user:pass:word').toString('base64')}`)
})
