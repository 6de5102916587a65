import t from 'tap'
import { quoteBytes } from './quote.ts'

const quoted = (text: string): string => quoteBytes(new TextEncoder().encode(text))

t.test('visible text stays as it is', async t => {
  t.equal(quoted(''), '""')
  t.equal(quoted('foo bar'), '"foo bar"')
  t.equal(quoted('für 日本 😀 �'), '"für 日本 😀 �"')
})

t.test('quotes, backslashes and control characters are escaped', async t => {
  t.equal(quoted('a"b\\c\n\t\r\u0007\u0000\u007f'), '"a\\"b\\\\c\\n\\t\\r\\a\\x00\\x7f"')
})

t.test('invisible characters are escaped by their number', async t => {
  t.equal(quoted('\u00a0\u200b\ufeff\u{e0001}'), '"\\u00a0\\u200b\\ufeff\\U000e0001"')
})

t.test('bytes that are no text are escaped one by one', async t => {
  t.equal(quoteBytes(Uint8Array.of(0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82)), '"a\\xff\\xc3(\\xe2\\x82"')
})
