import { appendEntries } from './append.ts'
import { assert, RaftInvariantError } from './assert.ts'
import { decodeConfChange } from './conf-codec.ts'
import { changeMembership, ConfChangeError } from './confchange.ts'
import { describeMembership } from './describe.ts'
import { refusedChange } from './entries.ts'
import { broadcastAppend } from './replication.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import { traceChange } from './trace-event.ts'
import { none } from './types.ts'
import type { ConfChange, ConfChangeRefusal, EntryInput, ProposeResult } from './types.ts'

/** Takes proposals into the leader's log and sends them on. All or none. */
export function propose (raft: RaftState, inputs: readonly EntryInput[]): ProposeResult {
  assert(raft.role === 'leader', 'only a leader takes proposals')
  assert(inputs.length > 0, 'a proposal proposes something')
  if (inputs.some(({ data }) => data.length > raft.config.limits.entryBytesMax)) return dropped('entry-too-large')
  // Removed, and leading on only until what removed it has been passed on.
  if (raft.tracker.get(raft.id) === undefined) return dropped('not-member')
  if (raft.leadTransferee !== none) {
    raft.trace?.('debug', 'no proposals during a transfer', [hex(raft.id), raft.term, hex(raft.leadTransferee)])
    return dropped('transferring')
  }

  const vetted = vetConfChanges(raft, inputs)
  if (vetted === 'malformed') return dropped('malformed')
  if (!appendEntries(raft, vetted.entries)) return dropped('uncommitted-full')
  if (vetted.pendingConfIndex !== undefined) raft.pendingConfIndex = vetted.pendingConfIndex
  const index = raft.log.lastIndex() - inputs.length + 1
  broadcastAppend(raft)
  const appended = { kind: 'appended', index, term: raft.term } as const
  return vetted.refusal === undefined ? appended : { ...appended, refusal: vetted.refusal }
}

function dropped (reason: Extract<ProposeResult, { kind: 'dropped' }>['reason']): ProposeResult {
  return { kind: 'dropped', reason }
}

interface Vetted {
  readonly entries: readonly EntryInput[]
  readonly pendingConfIndex: number | undefined
  readonly refusal: ConfChangeRefusal | undefined
}

/** Membership changes that must not be made now become empty entries, so that their proposer still learns an index. */
function vetConfChanges (raft: RaftState, inputs: readonly EntryInput[]): Vetted | 'malformed' {
  if (inputs.every(({ type }) => type === 'EntryNormal')) {
    return { entries: inputs, pendingConfIndex: undefined, refusal: undefined }
  }
  let pending = raft.pendingConfIndex
  let refusal: ConfChangeRefusal | undefined
  const entries: EntryInput[] = []
  for (const input of inputs) {
    const change = tryDecode(input)
    if (change === 'malformed') return 'malformed'
    const reason = change === undefined ? undefined : reasonAgainst(raft, change, pending)
    if (change !== undefined && reason === undefined) {
      pending = raft.log.lastIndex() + entries.length + 1
      traceChange(raft, change)
    }
    if (reason !== undefined) refusal = reason
    entries.push(reason === undefined ? input : refusedChange)
  }
  return { entries, pendingConfIndex: pending, refusal }
}

function tryDecode (input: EntryInput): ConfChange | undefined | 'malformed' {
  try {
    return decodeConfChange(input)
  } catch (error) {
    if (error instanceof RaftInvariantError) return 'malformed'
    throw error
  }
}

/**
 * One change at a time, and the next only when the last has been applied here: two that are under way could let
 * majorities decide that share nobody.
 */
function reasonAgainst (raft: RaftState, change: ConfChange, pending: number): ConfChangeRefusal | undefined {
  if (raft.config.disableConfChangeValidation) return undefined
  const { applied } = raft.log
  const reason = pending > applied
    ? 'change-pending'
    : raft.tracker.isJoint !== (change.changes.length === 0)
      ? raft.tracker.isJoint ? 'still-joint' : 'not-joint'
      : raft.config.asEtcd || fits(raft, change) ? undefined : 'invalid'
  if (reason === undefined) return undefined

  raft.trace?.('info', `membership change refused: ${reason}`, [
    hex(raft.id), ...change.changes.map(({ nodeId }) => nodeId), describeMembership(raft.tracker.membership),
    ...(reason === 'change-pending' ? [pending, applied] : [])
  ])
  return reason
}

/** Nothing else changes the membership before this change is applied, so what fits now will fit then. */
function fits (raft: RaftState, change: ConfChange): boolean {
  try {
    const { membership, progress } = raft.tracker
    changeMembership({ membership, progress, lastIndex: raft.log.lastIndex(), limits: raft.config.limits }, change)
    return true
  } catch (error) {
    if (error instanceof ConfChangeError) return false
    throw error
  }
}
