import { decodeConfChange } from '../core/conf-codec.ts'
import { emptyData } from '../core/entries.ts'
import { message } from '../core/message.ts'
import { RaftCore } from '../core/raft.ts'
import { MemoryLog } from '../replay/memory-log.ts'
import type { ConfState, Entry, Index, Message, MessageType, NodeId, RaftCoreConfig, Snapshot, Term } from '../core/types.ts'

export interface LonePeerOptions {
  readonly voters?: readonly NodeId[]
  readonly learners?: readonly NodeId[]
  /** Terms of the entries in its log, from index 1. */
  readonly log?: readonly Term[]
  /** The term it is in; at least that of its last entry. */
  readonly term?: Term
  readonly vote?: NodeId
  readonly commit?: Index
  readonly core?: Partial<RaftCoreConfig>
}

/** Peer 1 alone, on a log in memory; the test plays everybody else. Nothing watches but the core's own assertions. */
export interface LonePeer {
  readonly core: RaftCore
  readonly log: MemoryLog
  /** What it has applied, in order. */
  readonly applied: Entry[]
  /** Does all there is to do, and gives what it sends to others meanwhile. */
  work: () => readonly Message[]
  /** Takes a message, and works. */
  step: (type: MessageType, fields: Partial<Message>) => readonly Message[]
  /** Is elected by everybody in the next term; the appends of its first entry are not shown. */
  lead: () => void
  terms: () => readonly Term[]
}

export const electionTicks = 10

export function createLonePeer ({ voters = [1, 2, 3], learners = [], log: terms = [], term = terms.at(-1) ?? 0, vote = 0, commit = 0, core: config = {} }: LonePeerOptions = {}): LonePeer {
  const conf: ConfState = { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false }
  const log = new MemoryLog(() => snapshotAt(log.firstIndex() - 1, log.term(log.firstIndex() - 1) as Term, conf))
  log.applySnapshot(snapshotAt(0, 0, conf))
  log.append(terms.map((term, at) => entryOf(at + 1, term)))
  log.setHardState({ term, vote, commit })
  const core = new RaftCore({
    id: 1, log, random: { below: () => 0 }, electionTicks, heartbeatTicks: 1, preVote: false, checkQuorum: false, ...config
  })
  const applied: Entry[] = []

  const peer: LonePeer = {
    core,
    log,
    applied,
    work: () => {
      const sent: Message[] = []
      while (core.hasReady()) {
        const { hardState, snapshot, entries, committedEntries, messages } = core.ready()
        if (hardState !== undefined) log.setHardState(hardState)
        if (snapshot !== undefined) log.applySnapshot(snapshot)
        log.append(entries)
        for (const entry of committedEntries) {
          const change = decodeConfChange(entry)
          if (change !== undefined) core.applyConfChange(change)
          applied.push(entry)
        }
        sent.push(...messages)
        core.advance()
      }
      return sent
    },
    step: (type, fields) => {
      core.step(message(type, { to: 1, ...fields }))
      return peer.work()
    },
    lead: () => {
      core.campaign()
      peer.work()
      for (const type of ['MsgPreVoteResp', 'MsgVoteResp'] as const) {
        if (core.status().role !== (type === 'MsgVoteResp' ? 'candidate' : 'pre-candidate')) continue
        const asked = core.status().term + (type === 'MsgPreVoteResp' ? 1 : 0)
        for (const from of voters) if (from !== 1) peer.step(type, { from, term: asked })
      }
    },
    terms: () => {
      const { firstIndex, lastIndex } = core.status()
      return Array.from({ length: lastIndex - firstIndex + 1 }, (_, at) => log.term(firstIndex + at) as Term)
    }
  }
  return peer
}

export function entryOf (index: Index, term: Term, bytes = 0): Entry {
  return { term, index, type: 'EntryNormal', data: bytes === 0 ? emptyData : new Uint8Array(bytes) }
}

/** Entries of these terms, the first at `from`. */
export function run (from: Index, ...terms: readonly Term[]): readonly Entry[] {
  return terms.map((term, at) => entryOf(from + at, term))
}

export function snapshotAt (index: Index, term: Term, confState: ConfState): Snapshot {
  return { meta: { index, term, confState }, data: emptyData }
}
