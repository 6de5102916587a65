import t from 'tap'
import { crc32c } from './crc32c.ts'

t.test('agrees with the check values of RFC 3720', async t => {
  t.equal(crc32c(new Uint8Array(32)), 0x8a9136aa, '32 bytes of zeroes')
  t.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43, '32 bytes of ones')
  t.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e, '32 incrementing bytes')
  t.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283, 'the catalogue check value')
})

t.test('goes on from a previous value, so parts need not be joined', async t => {
  const whole = Uint8Array.from({ length: 1_003 }, (_, i) => i * 31)

  const inParts = crc32c(whole.subarray(411), crc32c(whole.subarray(0, 411)))

  t.equal(inParts, crc32c(whole))
})
