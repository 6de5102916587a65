import t from 'tap'
import { cidOf, other, pinOf, self } from '../../ipfs-compat-tests/harness/pins.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { decodePin, encodePin } from './pin-bytes.ts'

t.test('what is written is read', async t => {
  const numbers = [0, 1, 127, 128, 2 ** 32, Number.MAX_SAFE_INTEGER]
  const wide = [0n, 127n, 128n, 2n ** 64n - 1n]
  const writer = new ByteWriter(1)
  for (const number of numbers) writer.varint(number)
  for (const number of wide) writer.varint(number)
  const reader = new ByteReader(writer.text('ü🐟').bytes(Buffer.of(1, 2)).byte(9).finish())

  t.strictSame(numbers.map(() => reader.varint()), numbers)
  t.strictSame(wide.map(() => reader.bigint()), wide)
  t.equal(reader.text(), 'ü🐟')
  t.strictSame([...reader.bytes()], [1, 2])
  t.equal(reader.byte(), 9)
  t.ok(reader.isAtEnd)
})

t.test('bytes that end too early are an error, wherever they end', async t => {
  const whole = encodePin(pinOf('a', { allocations: [self, other], replication: { min: 1, max: 2 }, metadata: { a: 'b' }, origins: ['/x'], expireAtMs: 5, pinUpdate: cidOf('b') }))

  for (let length = 0; length < whole.length; length++) t.throws(() => decodePin(whole.subarray(0, length)), `cut to ${length}`)
})

t.test('a version that is not known is not guessed at', async t => {
  t.throws(() => decodePin(Buffer.of(77, 0)), { code: 'ERR_STORAGE', message: /version 77/ })
})

t.test('a pin of one file takes few bytes', async t => {
  t.ok(encodePin(pinOf('a', { name: '' })).length < 60)
})
