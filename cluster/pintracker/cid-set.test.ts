import t from 'tap'
import { cidOf } from '../../ipfs-compat-tests/harness/pins.ts'
import { CidSet } from './cid-set.ts'

t.test('what was added is in it, however many there are, and nothing else is', async t => {
  const set = new CidSet()
  for (let i = 0; i < 20_000; i++) set.add(cidOf(i).bytes)
  set.add(cidOf(0).bytes)

  let missing = 0
  let strangers = 0
  for (let i = 0; i < 20_000; i++) {
    if (!set.has(cidOf(i).bytes)) missing++
    if (set.has(cidOf(`not ${i}`).bytes)) strangers++
  }

  t.strictSame({ missing, strangers }, { missing: 0, strangers: 0 })
})

t.test('keys that differ in one byte are told apart', async t => {
  const set = new CidSet()
  for (let byte = 0; byte < 128; byte++) set.add(Buffer.of(1, byte))

  t.strictSame(Array.from({ length: 256 }, (_, byte) => set.has(Buffer.of(1, byte))).filter(Boolean).length, 128)
})
