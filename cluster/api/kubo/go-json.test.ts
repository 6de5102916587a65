import t from 'tap'
import { encodeGoJson, goMap } from './go-json.ts'
import { fromGoBytes, quoteGo, toGoBytes } from './go-text.ts'

t.test('text is escaped as Go escapes it', async t => {
  const text = '<a> & "b" \\ \u2028\u2029 \b\f\n\r\t\u0001 \u007f é 😀'

  t.equal(encodeGoJson(text), '"\\u003ca\\u003e \\u0026 \\"b\\" \\\\ \\u2028\\u2029 \\b\\f\\n\\r\\t\\u0001 \u007f é 😀"')
})

t.test('a byte that is no UTF-8 becomes an escaped replacement character, a real one stays', async t => {
  t.equal(encodeGoJson(fromGoBytes(Buffer.from([0x61, 0xff, 0x62]))), '"a\\ufffdb"')
  t.equal(encodeGoJson('\ufffd'), '"\ufffd"')
})

t.test('keys keep their order, absent ones are left out, integers stay whole', async t => {
  const value = { Size: 18446744073709551615n, Name: undefined, List: ['a', 1, true, null], At: { b: 1, a: 2 } }

  t.equal(encodeGoJson(value), '{"Size":18446744073709551615,"List":["a",1,true,null],"At":{"b":1,"a":2}}')
})

t.test('a map is sorted by bytes', async t => {
  const map = goMap([['b', 1], ['Z', 2], ['é', 3], ['a', 4]] as const)

  t.equal(encodeGoJson(map), '{"Z":2,"a":4,"b":1,"é":3}')
})

t.test('any bytes survive being text', async t => {
  const bytes = Buffer.from([0xc3, 0xbc, 0xff, 0x00, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82])

  t.strictSame(Buffer.from(toGoBytes(fromGoBytes(bytes))), bytes)
})

t.test('text is quoted as Go quotes it', async t => {
  t.equal(quoteGo('a"\\\n\x00\x7fé\u200b😀'), '"a\\"\\\\\\n\\x00\\x7fé\\u200b😀"')
  t.equal(quoteGo(fromGoBytes(Buffer.from([0xff]))), '"\\xff"')
})
