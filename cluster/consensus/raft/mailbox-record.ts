/**
 * A record of everything the core was told, and its repetition: for looking at what happened on a machine far away. The
 * record begins with the log as it was at the start; since the core has no other inputs, the repetition is exact, and any
 * difference means that something outside leaked in.
 */
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { ByteReader, ByteWriter } from './bytes.ts'
import { decodeMessage, encodeMessage } from './codec.ts'
import type { CoreInput } from './core-inputs.ts'
import { encodeConfChange, decodeConfChange } from './core/conf-codec.ts'
import { message } from './core/message.ts'
import { createPrng } from './core/prng.ts'
import { RaftCore } from './core/raft.ts'
import { appendThread, applyThread } from './core/types.ts'
import type { ConfState, Entry, HardState, RaftCoreConfig, Snapshot, SnapshotMeta, Status } from './core/types.ts'
import { readConfState, readEntries, readHardState, readSnapshotMeta, writeConfState, writeEntries, writeHardState, writeSnapshotMeta } from './entry-codec.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { LogTail } from './log-tail.ts'

/** What the core began with. */
export interface RecordStart {
  readonly seed: number
  readonly id: number
  readonly electionTicks: number
  readonly heartbeatTicks: number
  readonly priority: number
  readonly applied: number
  readonly hard: HardState
  readonly conf: ConfState
  readonly base: SnapshotMeta
  readonly entries: readonly Entry[]
}

export interface Recorder extends AsyncDisposable {
  readonly start: (start: RecordStart) => void
  readonly input: (input: CoreInput) => void
  /** The log the core reads has grown, or begins later. */
  readonly written: (entries: readonly Entry[]) => void
  readonly based: (meta: SnapshotMeta) => void
  /** What the core was told when it asked for a snapshot. */
  readonly answered: (snapshot: Snapshot | 'pending') => void
  /** Now and then, so that the repetition can be compared. */
  readonly seen: (status: Status) => void
}

type Line = { readonly kind: 'start' | 'input' | 'written' | 'based' | 'answered' | 'seen', readonly body: Uint8Array }
const lineKinds: ReadonlyArray<Line['kind']> = ['start', 'input', 'written', 'based', 'answered', 'seen']
const inputKinds: ReadonlyArray<CoreInput['kind']> = [
  'tick', 'step', 'propose', 'propose-change', 'apply-change', 'read-index', 'transfer', 'unreachable', 'report-snapshot', 'campaign', 'ready', 'void-lease'
]

export function createRecorder (path: string): Recorder {
  const out = createWriteStream(path, { highWaterMark: 1 << 20 })
  const write = (kind: Line['kind'], body: Uint8Array): void => {
    out.write(encodeFrame(new ByteWriter(body.length + 1).u8(lineKinds.indexOf(kind)).raw(body).done()))
  }
  return {
    start: start => { write('start', encodeStart(start)) },
    input: input => { write('input', encodeInput(input)) },
    written (entries) {
      const to = new ByteWriter()
      writeEntries(to, entries)
      write('written', to.done())
    },
    based (meta) {
      const to = new ByteWriter()
      writeSnapshotMeta(to, meta)
      write('based', to.done())
    },
    answered: snapshot => { write('answered', encodeMessage(message('MsgSnap', snapshot === 'pending' ? {} : { snapshot }))) },
    seen: status => { write('seen', Buffer.from(fingerprint(status))) },
    async [Symbol.asyncDispose] () { await new Promise<void>(resolve => { out.end(resolve) }) }
  }
}

export interface Repetition {
  readonly inputs: number
  readonly compared: number
  readonly repeats: boolean
  /** The first place where it does not: what was recorded, and what came out. */
  readonly difference?: { readonly afterInput: number, readonly recorded: string, readonly repeated: string }
  readonly last: string
}

export async function replayRecord (path: string): Promise<Repetition> {
  const bodies = new FrameReader().push(await readFile(path))
  const [first, ...rest] = bodies.map(body => ({ kind: lineKinds[body[0]!]!, body: body.subarray(1) }))
  if (first?.kind !== 'start') throw new Error(`${path} is no record`)
  const start = decodeStart(first.body)
  const tail = new LogTail(start.base, Infinity, index => { throw new Error(`entry ${index} is not in the record`) })
  tail.append(start.entries, { segment: 0, at: 0 })
  const answers = rest.filter(({ kind }) => kind === 'answered').map(({ body }) => decodeMessage(body).snapshot ?? 'pending' as const)
  const core = new RaftCore(configOf(start, tail, () => answers.shift() ?? 'pending'))
  let inputs = 0
  let compared = 0
  for (const { kind, body } of rest) {
    if (kind === 'input') { repeat(core, decodeInput(body)); inputs++ }
    if (kind === 'written') tail.append(readEntries(new ByteReader(body)), { segment: 0, at: 0 })
    if (kind === 'based') rebase(tail, readSnapshotMeta(new ByteReader(body)))
    if (kind !== 'seen') continue
    compared++
    const [recorded, repeated] = [Buffer.from(body).toString(), fingerprint(core.status())]
    if (recorded !== repeated) return { inputs, compared, repeats: false, difference: { afterInput: inputs, recorded, repeated }, last: repeated }
  }
  return { inputs, compared, repeats: true, last: fingerprint(core.status()) }
}

function configOf ({ seed, id, electionTicks, heartbeatTicks, priority, applied, hard, conf }: RecordStart, tail: LogTail, snapshot: () => Snapshot | 'pending'): RaftCoreConfig {
  return {
    id, electionTicks, heartbeatTicks, priority, applied, asyncStorageWrites: true, preVote: true, checkQuorum: true, random: createPrng(seed),
    log: {
      initialState: () => ({ hard, conf }),
      firstIndex: () => tail.firstIndex,
      lastIndex: () => tail.lastIndex,
      term: index => tail.term(index),
      entries: (lo, hi, maxBytes) => tail.entries(lo, hi, maxBytes),
      snapshot
    }
  }
}

function repeat (core: RaftCore, input: CoreInput): void {
  switch (input.kind) {
    case 'tick': core.tick(); return
    case 'step': core.step(input.message); return
    case 'propose': core.propose(input.entries); return
    case 'propose-change': core.proposeConfChange(input.change); return
    case 'apply-change': core.applyConfChange(input.change); return
    case 'read-index': core.readIndex(input.context); return
    case 'transfer': core.transferLeader(input.id); return
    case 'unreachable': core.reportUnreachable(input.id); return
    case 'report-snapshot': core.reportSnapshot(input.id, input.ok); return
    case 'campaign': core.campaign(); return
    case 'void-lease': core.voidLease(); return
    case 'ready': if (core.hasReady()) core.ready()
  }
}

function rebase (tail: LogTail, meta: SnapshotMeta): void {
  if (tail.holds(meta)) tail.setBase(meta)
  else tail.reset(meta)
}

function fingerprint ({ term, vote, role, lead, commit, applied, lastIndex, conf, electionElapsed, randomizedElectionTicks, uncommittedBytes }: Status): string {
  return JSON.stringify({ term, vote, role, lead, commit, applied, lastIndex, voters: conf.voters, electionElapsed, randomizedElectionTicks, uncommittedBytes })
}

function encodeStart (start: RecordStart): Uint8Array {
  const to = new ByteWriter().varint(start.seed).varint(start.id).varint(start.electionTicks).varint(start.heartbeatTicks).varint(start.priority).varint(start.applied)
  writeHardState(to, start.hard)
  writeConfState(to, start.conf)
  writeSnapshotMeta(to, start.base)
  writeEntries(to, start.entries)
  return to.done()
}

function decodeStart (bytes: Uint8Array): RecordStart {
  const from = new ByteReader(bytes)
  return {
    seed: from.varint(), id: from.varint(), electionTicks: from.varint(), heartbeatTicks: from.varint(), priority: from.varint(), applied: from.varint(),
    hard: readHardState(from), conf: readConfState(from), base: readSnapshotMeta(from), entries: readEntries(from)
  }
}

/** Responses of the lanes are the only messages with kinds of their own; they never leave the peer but for this record. */
const laneResponses = ['MsgStorageAppendResp', 'MsgStorageApplyResp'] as const

function encodeInput (input: CoreInput): Uint8Array {
  const to = new ByteWriter().u8(inputKinds.indexOf(input.kind))
  switch (input.kind) {
    case 'step': {
      const lane = laneResponses.findIndex(type => type === input.message.type)
      // Written as some message of the wire: the fields are the same.
      return to.u8(lane + 1).bytes(encodeMessage(lane === -1 ? input.message : { ...input.message, type: 'MsgSnap', from: 0 })).done()
    }
    case 'propose':
      writeEntries(to, input.entries.map(({ type, data }) => ({ type, data, term: 0, index: 0 })))
      return to.done()
    case 'propose-change':
    case 'apply-change': return to.raw(encodeConfChange(input.change).data).done()
    case 'read-index': return to.varint(input.context).done()
    case 'transfer':
    case 'unreachable': return to.varint(input.id).done()
    case 'report-snapshot': return to.varint(input.id).u8(input.ok ? 1 : 0).done()
    default: return to.done()
  }
}

function decodeInput (bytes: Uint8Array): CoreInput {
  const from = new ByteReader(bytes)
  const kind = inputKinds[from.u8()]!
  switch (kind) {
    case 'step': {
      const type = laneResponses[from.u8() - 1]
      const m = decodeMessage(from.bytes())
      return { kind, message: type === undefined ? m : { ...m, type, from: type === 'MsgStorageAppendResp' ? appendThread : applyThread } }
    }
    case 'propose': return { kind, entries: readEntries(from).map(({ type, data }) => ({ type, data })) }
    case 'propose-change':
    case 'apply-change': return { kind, change: decodeConfChange({ type: 'EntryConfChangeV2', data: from.raw(from.left) })! }
    case 'read-index': return { kind, context: from.varint() }
    case 'transfer':
    case 'unreachable': return { kind, id: from.varint() }
    case 'report-snapshot': return { kind, id: from.varint(), ok: from.u8() === 1 }
    default: return { kind }
  }
}
