import t from 'tap'
import { codes } from './codecs.ts'
import { refuseInexact } from './exact-input.ts'

const json = (text: string): void => refuseInexact(Buffer.from(text), codes['dag-json'])
const cbor = (hex: string): void => refuseInexact(Buffer.from(hex, 'hex'), codes['dag-cbor'])

t.test('floats that are whole are refused, wherever they stand', async t => {
  for (const text of ['1.0', '{"a":[-2.50e1]}', '{"a\\"1.5":1e3}', '-0.0']) t.throws(() => json(text), { message: /cannot keep the float/ }, text)
  for (const hex of ['f93c00', 'fa3f800000', 'fb3ff0000000000000', 'a16161fb4024000000000000', '8201fb8000000000000000', 'd82a4100fb3ff0000000000000', 'f90000']) t.throws(() => cbor(hex), { message: /cannot keep the float/ }, hex)
})

t.test('text that is no UTF-8 is refused', async t => {
  t.throws(() => cbor('61ff'), { message: /no UTF-8/ })
  t.throws(() => refuseInexact(Buffer.from([0x22, 0xff, 0x22]), codes['dag-json']), { message: /no UTF-8/ })
})

t.test('all else passes', async t => {
  for (const text of ['1', '{"1.0":"2.0","b":"\\"3.0"}', '[1.5,-1e-3,18446744073709551615]', '{"/":{"bytes":"MS4w"}}']) t.doesNotThrow(() => json(text), text)
  for (const hex of ['01', '1b7fffffffffffffff', '43f93c00', '62c3bc', 'f93e00', 'fb3ff8000000000000', '5818f93c00f93c00f93c00f93c00f93c00f93c00f93c00f93c00', 'a1616183f4f5f6', '9818000102030405060708090a0b0c0d0e0f1011121314151617']) t.doesNotThrow(() => cbor(hex), hex)
  t.doesNotThrow(() => refuseInexact(Buffer.from('1.0'), codes.raw))
})
