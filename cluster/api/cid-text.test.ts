import { base10 } from 'multiformats/bases/base10'
import { base16, base16upper } from 'multiformats/bases/base16'
import { base2 } from 'multiformats/bases/base2'
import { base256emoji } from 'multiformats/bases/base256emoji'
import { base32, base32hex, base32pad, base32upper, base32z } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc, base58flickr } from 'multiformats/bases/base58'
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import t from 'tap'
import { readCid } from './cid-text.ts'

const v0 = CID.parse('QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN')
const v1 = v0.toV1()

t.test('a CID is read in any base', async t => {
  const encoders = [base16, base16upper, base2, base256emoji, base32, base32hex, base32pad, base32upper, base32z, base36, base36upper, base58btc, base58flickr, base64, base64pad, base64url, base64urlpad]

  for (const { encoder } of encoders) t.strictSame(readCid(encoder.encode(v1.bytes)).bytes, v1.bytes, encoder.name)
  t.strictSame(readCid(v0.toString()).bytes, v0.bytes)
})

t.test('the case is of no matter where only one is in use', async t => {
  for (const { encoder } of [base16, base32, base36]) {
    const text = encoder.encode(v1.bytes)

    t.ok(readCid(`${text.slice(0, 1)}${text.slice(1).toUpperCase()}`).equals(v1), encoder.name)
  }
})

t.test('what is no CID is refused', async t => {
  for (const text of ['', 'Q', 'Qm', 'b', 'nonsense', '000000000', v0.toString().slice(1), `z${v0.toString()}`, v1.toString().slice(0, -4), base10.encode(v1.bytes), `${v1.toString()}/a`, 'x'.repeat(10_000)]) {
    t.throws(() => readCid(text), text.slice(0, 60))
  }
})
