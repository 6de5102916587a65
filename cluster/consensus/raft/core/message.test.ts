import t from 'tap'
import { hasTerm, isLocal, isResponse } from './message.ts'
import type { MessageType } from './types.ts'

/** By type: never from another peer, only from a member, said within a term. */
const kinds: Readonly<Record<MessageType, readonly [boolean, boolean, boolean]>> = {
  MsgProp: [false, false, false],
  MsgApp: [false, false, true],
  MsgAppResp: [false, true, true],
  MsgVote: [false, false, true],
  MsgVoteResp: [false, true, true],
  MsgPreVote: [false, false, true],
  MsgPreVoteResp: [false, true, true],
  MsgSnap: [false, false, true],
  MsgHeartbeat: [false, false, true],
  MsgHeartbeatResp: [false, true, true],
  MsgTransferLeader: [false, false, false],
  MsgTimeoutNow: [false, false, true],
  MsgReadIndex: [false, false, false],
  MsgReadIndexResp: [false, true, true],
  MsgHup: [true, false, false],
  MsgUnreachable: [true, true, false],
  MsgSnapStatus: [true, false, false],
  MsgForgetLeader: [true, false, false],
  MsgStorageAppend: [true, false, false],
  MsgStorageAppendResp: [true, true, false],
  MsgStorageApply: [true, false, false],
  MsgStorageApplyResp: [true, true, false]
}

t.test('of each type it is known whether it is local', async t => {
  for (const [type, [expected]] of Object.entries(kinds)) t.equal(isLocal(type as MessageType), expected, type)
})

t.test('of each type it is known whether only a member may say it', async t => {
  for (const [type, [, expected]] of Object.entries(kinds)) t.equal(isResponse(type as MessageType), expected, type)
})

t.test('of each type it is known whether it is said within a term', async t => {
  for (const [type, [, , expected]] of Object.entries(kinds)) t.equal(hasTerm(type as MessageType), expected, type)
})
