import { CID } from 'multiformats/cid'
import t from 'tap'
import { cidOf, hashByName } from '../dag/hashes.ts'
import { decodeMessage, encodeMessage, multihashOf, prefixOf } from './bitswap-message.ts'
import type { BitswapMessage } from './bitswap-message.ts'

const bytes = Buffer.from('hello world\n')
const cid = cidOf(bytes, { version: 1, codec: 0x55, hash: hashByName('sha2-256')! })
const nothing: BitswapMessage = { entries: [], isFull: false, blocks: [], presences: [] }

t.test('what is said arrives as it was said', async t => {
  const message: BitswapMessage = {
    entries: [{ cid, kind: 'have', isCancel: false, sendDontHave: true }, { cid: CID.parse('QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'), kind: 'block', isCancel: true, sendDontHave: false }],
    isFull: true,
    blocks: [{ prefix: prefixOf(cid), bytes }],
    presences: [{ cid, has: true }, { cid, has: false }]
  }

  const heard = decodeMessage(Buffer.concat(encodeMessage(message)))

  t.strictSame(heard.entries.map(({ cid, ...rest }) => [cid.toString(), rest]), message.entries.map(({ cid, ...rest }) => [cid.toString(), rest]))
  t.equal(heard.isFull, true)
  t.strictSame(heard.blocks.map(multihashOf).map(multihash => Buffer.from(multihash!).toString('hex')), [Buffer.from(cid.multihash.bytes).toString('hex')])
  t.strictSame(heard.presences.map(({ cid, has }) => [cid.toString(), has]), [[cid.toString(), true], [cid.toString(), false]])
})

t.test('a want is in the bytes that boxo sends', async t => {
  const [head, length, list] = encodeMessage({ ...nothing, entries: [{ cid, kind: 'have', isCancel: false, sendDontHave: true }] })

  // wantlist { entries { block, priority: 1, wantType: Have, sendDontHave } }
  t.equal(Buffer.concat([head!, length!, list!]).toString('hex'), `0a2e0a2c0a24${Buffer.from(cid.bytes).toString('hex')}100120012801`)
})

t.test('what is no message is refused', async t => {
  for (const [what, hex] of [['a length beyond the end', '0aff01'], ['a group', '0b'], ['an entry without a CID', '0a040a021001'], ['a number where bytes belong', '0801'], ['a CID that is none', '0a060a040a02ffff']] as const) {
    t.throws(() => decodeMessage(Buffer.from(hex, 'hex')), what)
  }
})

t.test('a block whose prefix makes no sense hashes to nothing', async t => {
  for (const hex of ['', '01', '0155ff7f20', '015512ff01']) t.equal(multihashOf({ prefix: Buffer.from(hex, 'hex'), bytes }), undefined, hex)
})
