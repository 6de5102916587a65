import { decodeConfChange } from './conf-codec.ts'
import { jointIds } from './joint.ts'
import type { JointVoters } from './joint.ts'
import type { AckedIndex } from './quorum.ts'
import { quoteBytes } from './quote.ts'
import type { Membership } from './tracker.ts'
import { appendThread, applyThread, none } from './types.ts'
import type {
  ConfChangeSingle, ConfChangeType, ConfState, Entry, HardState, Index, Message, NodeId, ProgressState, Ready, Role, Snapshot, SoftState
} from './types.ts'

/**
 * The text by which etcd's scripts, and whoever reads our logs, know the engine's values. Ids are hexadecimal where
 * a peer is addressed or a quorum listed, decimal where they are state.
 */
const roleNames: Readonly<Record<Role, string>> = {
  follower: 'StateFollower', candidate: 'StateCandidate', leader: 'StateLeader', 'pre-candidate': 'StatePreCandidate'
}
const progressNames: Readonly<Record<ProgressState, string>> = {
  probe: 'StateProbe', replicate: 'StateReplicate', snapshot: 'StateSnapshot'
}
const changeLetters: Readonly<Record<ConfChangeType, string>> = {
  ConfChangeAddNode: 'v', ConfChangeAddLearnerNode: 'l', ConfChangeRemoveNode: 'r', ConfChangeUpdateNode: 'u'
}

export function describeRole (role: Role): string {
  return roleNames[role]
}

export function describeHardState ({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === none ? '' : ` Vote:${vote}`} Commit:${commit}`
}

export function describeSoftState ({ lead, role }: SoftState): string {
  return `Lead:${lead} State:${describeRole(role)}`
}

export function describeConfState (conf: ConfState): string {
  const list = (ids: readonly NodeId[]): string => `[${ids.join(' ')}]`
  return `Voters:${list(conf.voters)} VotersOutgoing:${list(conf.votersOutgoing)} Learners:${list(conf.learners)} ` +
    `LearnersNext:${list(conf.learnersNext)} AutoLeave:${conf.autoLeave}`
}

export function describeSnapshot ({ meta }: Snapshot): string {
  return `Index:${meta.index} Term:${meta.term} ConfState:${describeConfState(meta.confState)}`
}

export function describeReady (ready: Ready): string {
  const lines: string[] = []
  if (ready.softState !== undefined) lines.push(describeSoftState(ready.softState))
  if (ready.hardState !== undefined) lines.push(`HardState ${describeHardState(ready.hardState)}`)
  if (ready.readStates.length > 0) {
    lines.push(`ReadStates [${ready.readStates.map(({ index, context }) => `{${index} ${context}}`).join(' ')}]`)
  }
  if (ready.entries.length > 0) lines.push('Entries:', ...ready.entries.map(describeEntry))
  if (ready.snapshot !== undefined) lines.push(`Snapshot ${describeSnapshot(ready.snapshot)}`)
  if (ready.committedEntries.length > 0) lines.push('CommittedEntries:', ...ready.committedEntries.map(describeEntry))
  if (ready.messages.length > 0) lines.push('Messages:', ...ready.messages.map(m => describeMessage(m)))
  if (lines.length === 0) return '<empty Ready>'
  return `Ready MustSync=${ready.mustSync}:\n${lines.join('\n')}\n`
}

export function describeMessage (m: Message, indent = ''): string {
  let text = `${indent}${describeTarget(m.from)}->${describeTarget(m.to)} ${m.type} Term:${m.term} Log:${m.logTerm}/${m.index}`
  if (m.reject) text += ` Rejected (Hint: ${m.rejectHint})`
  if (m.commit !== 0) text += ` Commit:${m.commit}`
  if (m.vote !== none) text += ` Vote:${m.vote}`
  if (m.entries.length === 1) {
    text += ` Entries:[${describeEntry(m.entries[0]!)}]`
  } else if (m.entries.length > 1) {
    text += ` Entries:[${m.entries.map(entry => `\n${indent}  ${describeEntry(entry)}`).join('')}\n${indent}]`
  }
  if (m.snapshot !== undefined && m.snapshot.meta.index > 0) text += `\n${indent}  Snapshot: ${describeSnapshot(m.snapshot)}`
  if (m.responses.length > 0) {
    text += ` Responses:[${m.responses.map(response => `\n${describeMessage(response, `${indent}  `)}`).join('')}\n${indent}]`
  }
  return text
}

export function describeTarget (id: NodeId): string {
  if (id === none) return 'None'
  if (id === appendThread) return 'AppendThread'
  return id === applyThread ? 'ApplyThread' : id.toString(16)
}

export function describeEntry (entry: Entry): string {
  const change = decodeConfChange(entry)
  const content = change === undefined ? quoteBytes(entry.data) : describeChanges(change.changes)
  return `${entry.term}/${entry.index} ${entry.type}${content === '' ? '' : ` ${content}`}`
}

export function describeChanges (changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, nodeId }) => `${changeLetters[type]}${nodeId}`).join(' ')
}

/** A set of ids as quorums are written, ascending. */
export function describeIds (ids: readonly NodeId[]): string {
  return `(${ids.map(id => id.toString(16)).join(' ')})`
}

export function describeMembership ({ voters, learners, learnersNext, autoLeave }: Membership): string {
  let text = `voters=${describeIds(voters.incoming)}`
  if (voters.outgoing.length > 0) text += `&&${describeIds(voters.outgoing)}`
  if (learners.length > 0) text += ` learners=${describeIds(learners)}`
  if (learnersNext.length > 0) text += ` learners_next=${describeIds(learnersNext)}`
  return autoLeave ? `${text} autoleave` : text
}

/** What is printed of a peer's progress; `Progress` and `ProgressStatus` both have it. */
export interface DescribedProgress {
  readonly state: ProgressState
  readonly match: Index
  readonly next: Index
  readonly isLearner: boolean
  isPaused (): boolean
  readonly pendingSnapshot: Index
  readonly recentActive: boolean
  readonly inflights: { readonly count: number, readonly full: boolean }
}

export function describeProgress (progress: DescribedProgress): string {
  let text = `${progressNames[progress.state]} match=${progress.match} next=${progress.next}`
  if (progress.isLearner) text += ' learner'
  if (progress.isPaused()) text += ' paused'
  if (progress.pendingSnapshot > 0) text += ` pendingSnap=${progress.pendingSnapshot}`
  if (!progress.recentActive) text += ' inactive'
  const { count, full } = progress.inflights
  if (count > 0) text += ` inflight=${count}${full ? '[full]' : ''}`
  return text
}

export function describeIndex (index: Index): string {
  return index === Infinity ? '∞' : String(index)
}

/** A bar for each voter: the further its acknowledged index, the longer; then the index, or nothing known of it. */
export function describeAcks (voters: JointVoters, acked: AckedIndex): string {
  const ids = jointIds(voters)
  if (ids.length === 0) return '<empty majority quorum>'
  const ascending = ids.map(id => acked(id) ?? 0).sort((a, b) => a - b)

  const lines = ids.map(id => {
    const index = acked(id)
    const bar = ascending.indexOf(index ?? 0)
    const drawn = index === undefined ? `?${' '.repeat(ids.length)}` : `${'x'.repeat(bar)}>${' '.repeat(ids.length - bar)}`
    return `${drawn} ${describeIndex(index ?? 0).padStart(5)}    (id=${id.toString(16)})\n`
  })
  return `${' '.repeat(ids.length)}    idx\n${lines.join('')}`
}
