import type { ConfState, Entry, EntryType, Index, Snapshot, Term } from '../core/types.ts'
import { hashBytes } from './trace.ts'

/**
 * The replicated state of a simulated peer: a running digest of all it has applied, so that two peers
 * at one index can be compared in one step, and the last operation of each client (its session).
 */
export interface MachineState {
  readonly applied: Index
  readonly appliedTerm: Term
  readonly digest: number
  readonly conf: ConfState
  /** By client: the sequence number of the last operation that took effect. */
  readonly sessions: readonly number[]
}

export const clientsMax = 4

export interface Command {
  readonly client: number
  readonly sequence: number
}

/** Commands of clients without a session have the client number `clientsMax`. */
export function encodeCommand ({ client, sequence }: Command, padding: number): Uint8Array {
  const bytes = new Uint8Array(5 + padding)
  bytes[0] = client
  new DataView(bytes.buffer).setUint32(1, sequence)
  return bytes
}

export function decodeCommand (data: Uint8Array): Command | undefined {
  if (data.length < 5) return undefined
  return { client: data[0] as number, sequence: new DataView(data.buffer, data.byteOffset).getUint32(1) }
}

const typeNumber: Record<EntryType, number> = { EntryNormal: 1, EntryConfChange: 2, EntryConfChangeV2: 3 }

export function hashEntry (entry: Entry): number {
  return Math.imul(hashBytes(entry.data) ^ typeNumber[entry.type], 0x9e3779b1) >>> 0
}

/** The state after `entry`; the caller has already applied its membership change, if it is one. */
export function applied (state: MachineState, entry: Entry, conf: ConfState): MachineState {
  const digest = Math.imul(Math.imul(state.digest ^ entry.term, 0x85ebca6b) ^ hashEntry(entry), 0xc2b2ae35) >>> 0
  const sessions = entry.type === 'EntryNormal' ? afterCommand(state.sessions, decodeCommand(entry.data)) : state.sessions
  return { applied: entry.index, appliedTerm: entry.term, digest, conf, sessions }
}

/** Whether the command changes anything: a session's operation is done once, however often it is in the log. */
export function takesEffect (sessions: readonly number[], { client, sequence }: Command): boolean {
  return client >= clientsMax || sequence > (sessions[client] as number)
}

export function toSnapshot ({ applied, appliedTerm, digest, conf, sessions }: MachineState): Snapshot {
  const words = new Uint32Array([digest, ...sessions])
  return { meta: { index: applied, term: appliedTerm, confState: conf }, data: new Uint8Array(words.buffer) }
}

export function fromSnapshot ({ meta, data }: Snapshot): MachineState {
  const [digest = 0, ...sessions] = new Uint32Array(data.slice().buffer)
  return { applied: meta.index, appliedTerm: meta.term, digest, conf: meta.confState, sessions }
}

function afterCommand (sessions: readonly number[], command: Command | undefined): readonly number[] {
  if (command === undefined || command.client >= clientsMax || !takesEffect(sessions, command)) return sessions
  return sessions.with(command.client, command.sequence)
}
