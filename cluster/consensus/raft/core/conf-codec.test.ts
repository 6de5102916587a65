import t from 'tap'
import { RaftInvariantError } from './assert.ts'
import { decodeConfChange, encodeConfChange, leaveJointChange, leaveJointEntry } from './conf-codec.ts'
import { emptyData } from './entries.ts'
import type { ConfChange } from './types.ts'

const change: ConfChange = {
  transition: 'explicit',
  changes: [{ type: 'ConfChangeAddLearnerNode', nodeId: 2 ** 47 + 3 }, { type: 'ConfChangeRemoveNode', nodeId: 1 }],
  context: Uint8Array.of(1, 2, 255)
}

t.test('a change is read as it was written', async t => {
  t.strictSame(decodeConfChange(encodeConfChange(change)), change)
})

t.test('the legacy entry holds one change', async t => {
  const single: ConfChange = { transition: 'auto', changes: [{ type: 'ConfChangeUpdateNode', nodeId: 300 }], context: Uint8Array.of(7) }
  const entry = encodeConfChange(single, 1)

  t.equal(entry.type, 'EntryConfChange')
  t.strictSame(decodeConfChange(entry), single)
  t.throws(() => encodeConfChange(change, 1), RaftInvariantError)
})

t.test('no bytes at all mean leaving a joint state; an ordinary entry means no change', async t => {
  t.strictSame(decodeConfChange(leaveJointEntry), leaveJointChange)
  t.equal(decodeConfChange({ type: 'EntryNormal', data: emptyData }), undefined)
})

t.test('bytes that are cut off anywhere within a field, or have unknown values, are refused', async t => {
  const { type, data } = encodeConfChange(change)
  let refused = 0
  for (let length = 1; length < data.length; length++) {
    try {
      decodeConfChange({ type, data: data.subarray(0, length) })
    } catch (error) {
      t.ok(error instanceof RaftInvariantError)
      refused++
    }
  }
  t.ok(refused >= data.length - 5, `${refused} of ${data.length - 1}`)
  t.throws(() => decodeConfChange({ type, data: Uint8Array.of(8, 9) }), /unknown transition/)
  t.throws(() => decodeConfChange({ type, data: Uint8Array.of(18, 2, 8, 9) }), /unknown type/)
})
