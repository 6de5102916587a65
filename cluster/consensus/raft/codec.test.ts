import t from 'tap'
import { MalformedError } from './bytes.ts'
import { decodeMessage, encodeMessage } from './codec.ts'
import { message } from './core/message.ts'

const conf = { voters: [1, 2 ** 40], votersOutgoing: [3], learners: [4], learnersNext: [5], autoLeave: true }
const examples = [
  message('MsgVote', { to: 2, from: 1, term: 2 ** 52, logTerm: 3, index: 2 ** 33, context: 1 }),
  message('MsgAppResp', { to: 1, from: 2, term: 7, index: 9, reject: true, rejectHint: 8, logTerm: 4, vote: 6, commit: 5 }),
  message('MsgApp', {
    to: 2, from: 1, term: 7, logTerm: 6, index: 100, commit: 99,
    entries: [
      { type: 'EntryNormal', term: 7, index: 101, data: Uint8Array.of(1, 2, 3) },
      { type: 'EntryConfChangeV2', term: 7, index: 102, data: new Uint8Array(0) }
    ]
  }),
  message('MsgSnap', { to: 2, from: 1, term: 7, snapshot: { meta: { index: 5, term: 4, confState: conf }, data: Uint8Array.of(9) } })
]
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, function (this: Record<string, unknown>, key, shown) {
  const own = this[key]
  return own instanceof Uint8Array ? [...own] : shown
}))

t.test('messages arrive as they were sent', async t => {
  for (const m of examples) t.strictSame(plain(decodeMessage(encodeMessage(m))), plain(m), m.type)
})

t.test('a message cut anywhere is refused as malformed, never half understood', async t => {
  for (const m of examples) {
    const bytes = encodeMessage(m)
    for (let length = 0; length < bytes.length; length++) {
      t.throws(() => decodeMessage(bytes.subarray(0, length)), MalformedError, `${m.type} cut at ${length}`)
    }
  }
})

t.test('garbage never does more than be refused', async t => {
  let state = 1
  const random = (): number => (state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0) >>> 16 & 0xff
  for (let i = 0; i < 5_000; i++) {
    const garbage = Uint8Array.from({ length: i % 60 }, random)
    try { decodeMessage(garbage) } catch (err) { if (!(err instanceof MalformedError)) t.fail(String(err)) }
  }
  t.pass()
})
