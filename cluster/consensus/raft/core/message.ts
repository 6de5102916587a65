import { assert } from './assert.ts'
import { appendThread, applyThread, none } from './types.ts'
import type { Entry, HardState, Message, MessageType, NodeId } from './types.ts'

export const noEntries: readonly Entry[] = Object.freeze([])
export const noMessages: readonly Message[] = Object.freeze([])

/** All fields, always in this order: one shape. */
export function message (type: MessageType, fields: Partial<Message>, from = fields.from ?? none, term = fields.term ?? 0): Message {
  return {
    type,
    to: fields.to ?? none,
    from,
    term,
    logTerm: fields.logTerm ?? 0,
    index: fields.index ?? 0,
    commit: fields.commit ?? 0,
    vote: fields.vote ?? none,
    reject: fields.reject ?? false,
    rejectHint: fields.rejectHint ?? 0,
    context: fields.context ?? 0,
    entries: fields.entries ?? noEntries,
    snapshot: fields.snapshot,
    responses: fields.responses ?? noMessages
  }
}

/** What a MsgStorageAppend asks to be written as HardState, if anything. */
export function hardStateOf (m: Message): HardState | undefined {
  assert(m.type === 'MsgStorageAppend', 'only a storage append carries a HardState')
  if (m.term === 0 && m.vote === 0 && m.commit === 0) return undefined
  return { term: m.term, vote: m.vote, commit: m.commit }
}

export function isStorageLane (id: NodeId): boolean {
  return id === appendThread || id === applyThread
}

/** Kinds that are never taken from another peer. */
const local: ReadonlySet<MessageType> = new Set([
  'MsgHup', 'MsgUnreachable', 'MsgSnapStatus', 'MsgForgetLeader',
  'MsgStorageAppend', 'MsgStorageAppendResp', 'MsgStorageApply', 'MsgStorageApplyResp'
])

/** Kinds that only make sense from a member. */
const response: ReadonlySet<MessageType> = new Set([
  'MsgAppResp', 'MsgVoteResp', 'MsgHeartbeatResp', 'MsgUnreachable', 'MsgReadIndexResp', 'MsgPreVoteResp',
  'MsgStorageAppendResp', 'MsgStorageApplyResp'
])

/** Kinds that are said within a term; without one they would be taken in any. */
const termed: ReadonlySet<MessageType> = new Set([
  'MsgApp', 'MsgAppResp', 'MsgVote', 'MsgVoteResp', 'MsgPreVote', 'MsgPreVoteResp', 'MsgSnap', 'MsgHeartbeat',
  'MsgHeartbeatResp', 'MsgTimeoutNow', 'MsgReadIndexResp'
])

export function hasTerm (type: MessageType): boolean {
  return termed.has(type)
}

export function isLocal (type: MessageType): boolean {
  return local.has(type)
}

export function isResponse (type: MessageType): boolean {
  return response.has(type)
}
