import t from 'tap'
import { encodeConfChange } from './conf-codec.ts'
import { describeAcks, describeEntry, describeMembership, describeMessage, describeProgress, describeReady } from './describe.ts'
import { emptyData } from './entries.ts'
import { Inflights } from './inflights.ts'
import { message } from './message.ts'
import { Progress } from './progress.ts'
import { appendThread, applyThread } from './types.ts'
import type { Entry, Ready } from './types.ts'

const entry = (index: number, text: string): Entry =>
  ({ term: 2, index, type: 'EntryNormal', data: new TextEncoder().encode(text) })
const conf = { voters: [1, 2], votersOutgoing: [3], learners: [], learnersNext: [4], autoLeave: true }
const nothing: Ready = {
  softState: undefined, hardState: undefined, readStates: [], entries: [], snapshot: undefined, committedEntries: [], messages: [], mustSync: false
}

t.test('messages show what they have, and nothing that is zero', async t => {
  t.equal(describeMessage(message('MsgHeartbeat', { from: 1, to: 31, term: 2 })), '1->1f MsgHeartbeat Term:2 Log:0/0')
  t.equal(
    describeMessage(message('MsgAppResp', { from: 2, to: 1, term: 2, logTerm: 1, index: 9, reject: true, rejectHint: 4, commit: 3, vote: 5 })),
    '2->1 MsgAppResp Term:2 Log:1/9 Rejected (Hint: 4) Commit:3 Vote:5'
  )
  t.equal(describeMessage(message('MsgHup', {})), 'None->None MsgHup Term:0 Log:0/0')
})

t.test('one entry stands in the line, several on lines of their own, answers indented', async t => {
  t.equal(
    describeMessage(message('MsgApp', { from: 1, to: 2, term: 2, entries: [entry(4, 'a')] })),
    '1->2 MsgApp Term:2 Log:0/0 Entries:[2/4 EntryNormal "a"]'
  )
  const inner = message('MsgStorageApplyResp', { from: applyThread, to: 1, entries: [entry(4, 'a'), entry(5, 'b')] })
  t.equal(
    describeMessage(message('MsgStorageAppend', { from: 1, to: appendThread, responses: [inner] })),
    '1->AppendThread MsgStorageAppend Term:0 Log:0/0 Responses:[\n' +
    '  ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0 Entries:[\n' +
    '    2/4 EntryNormal "a"\n    2/5 EntryNormal "b"\n  ]\n]'
  )
})

t.test('entries show the change they carry', async t => {
  const changes = [{ type: 'ConfChangeAddNode', nodeId: 12 }, { type: 'ConfChangeRemoveNode', nodeId: 3 }] as const
  const input = encodeConfChange({ transition: 'auto', changes, context: emptyData })

  t.equal(describeEntry({ term: 1, index: 7, ...input }), '1/7 EntryConfChangeV2 v12 r3')
  t.equal(describeEntry({ term: 1, index: 8, type: 'EntryConfChangeV2', data: emptyData }), '1/8 EntryConfChangeV2')
  t.equal(describeEntry(entry(9, '')), '2/9 EntryNormal ""')
})

t.test('a Ready shows its parts in the order of work', async t => {
  t.equal(describeReady(nothing), '<empty Ready>')
  t.equal(describeReady({
    ...nothing,
    softState: { lead: 1, role: 'pre-candidate' },
    hardState: { term: 2, vote: 0, commit: 8 },
    readStates: [{ index: 3, context: 4 }],
    entries: [entry(9, 'x')],
    snapshot: { meta: { index: 8, term: 2, confState: conf }, data: emptyData },
    committedEntries: [entry(8, 'y')],
    messages: [message('MsgHup', {})],
    mustSync: true
  }), `Ready MustSync=true:
Lead:1 State:StatePreCandidate
HardState Term:2 Commit:8
ReadStates [{3 4}]
Entries:
2/9 EntryNormal "x"
Snapshot Index:8 Term:2 ConfState:Voters:[1 2] VotersOutgoing:[3] Learners:[] LearnersNext:[4] AutoLeave:true
CommittedEntries:
2/8 EntryNormal "y"
Messages:
None->None MsgHup Term:0 Log:0/0
`)
})

t.test('memberships list both halves, in hexadecimal', async t => {
  const voters = { incoming: [1, 10], outgoing: [1, 2] }

  t.equal(describeMembership({ voters, learners: [3], learnersNext: [2], autoLeave: true }), 'voters=(1 a)&&(1 2) learners=(3) learners_next=(2) autoleave')
  t.equal(describeMembership({ voters: { incoming: [1], outgoing: [] }, learners: [], learnersNext: [], autoLeave: false }), 'voters=(1)')
})

t.test('progress shows what holds it back', async t => {
  const peer = new Progress(2, 5, true, new Inflights(1, Infinity))
  t.equal(describeProgress(peer), 'StateProbe match=0 next=5 learner inactive')

  peer.recentActive = true
  peer.becomeReplicate()
  peer.sentEntries(2, 9)
  t.equal(describeProgress(peer), 'StateReplicate match=0 next=3 learner paused inflight=1[full]')
  peer.becomeSnapshot(7)
  t.equal(describeProgress(peer), 'StateSnapshot match=0 next=8 learner paused pendingSnap=7')
})

t.test('acknowledgements are drawn by rank', async t => {
  const acked = (id: number): number | undefined => ({ 1: 5, 2: 9 })[id]

  t.equal(describeAcks({ incoming: [1, 2], outgoing: [11] }, acked),
    '       idx\nx>       5    (id=1)\nxx>      9    (id=2)\n?        0    (id=b)\n')
  t.equal(describeAcks({ incoming: [], outgoing: [] }, acked), '<empty majority quorum>')
})
