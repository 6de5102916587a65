import { decodeConfChange } from '../core/conf-codec.ts'
import { describeMessage, describeReady } from '../core/describe.ts'
import { emptyData } from '../core/entries.ts'
import { hardStateOf, isStorageLane, message } from '../core/message.ts'
import { createPrng } from '../core/prng.ts'
import { RaftCore } from '../core/raft.ts'
import { appendThread } from '../core/types.ts'
import type { Entry, HardState, Message, MessageType, NodeId, RaftCoreConfig, Snapshot, StepResult } from '../core/types.ts'
import { MemoryLog, StorageRefusal } from './memory-log.ts'
import { Output } from './output.ts'

export type NodeOptions = Omit<RaftCoreConfig, 'id' | 'log' | 'random' | 'trace'>

/** A peer with its storage, the work its storage lanes have not done yet, and a snapshot of every state it was in. */
export interface ScriptNode {
  readonly id: NodeId
  readonly core: RaftCore
  readonly log: MemoryLog
  readonly options: NodeOptions
  readonly appendWork: Message[]
  readonly applyWork: Message[]
  readonly history: Snapshot[]
}

export interface Recipient {
  readonly id: NodeId
  readonly drop: boolean
}

/** What scripts expect to read when a message or proposal was not taken. */
export const stepTexts: Readonly<Record<StepResult, string | undefined>> = {
  accepted: undefined,
  dropped: 'raft proposal dropped',
  'peer-not-found': 'raft: cannot step as peer not found',
  'local-message': 'raft: cannot step raft local message',
  malformed: 'malformed message'
}

/** Peers whose messages wait until a script delivers or drops them. */
export class Environment {
  readonly output = new Output()
  readonly nodes: ScriptNode[] = []
  #inFlight: Message[] = []

  node (id: NodeId): ScriptNode {
    const node = this.nodes[id - 1]
    if (node === undefined) throw new RangeError(`there is no node ${id}`)
    return node
  }

  /** The state machine is a text that every entry is appended to; its snapshots start with `snapshot`. */
  addNode (options: NodeOptions, snapshot: Snapshot, isBootstrapped: boolean): void {
    const id = this.nodes.length + 1
    const history = [snapshot]
    const log = new MemoryLog(() => history.at(-1)!)
    if (isBootstrapped) log.applySnapshot(snapshot)
    const core = new RaftCore({
      ...options,
      id,
      log,
      random: createPrng(id),
      trace: (level, what, values) => { this.output.trace(level, what, values) }
    })
    this.nodes.push({ id, core, log, options, appendWork: [], applyWork: [], history })
  }

  queue (messages: readonly Message[]): void {
    this.#inFlight.push(...messages)
  }

  has (to: NodeId): boolean {
    return this.#inFlight.some(m => m.to === to)
  }

  /** How many messages were delivered or dropped. Those of storage lanes, and to oneself, are never dropped. */
  deliver (recipients: readonly Recipient[], type: MessageType | undefined): number {
    let count = 0
    for (const { id, drop } of recipients) {
      const isMeant = (m: Message): boolean => m.to === id && !(drop && isLocal(m)) && (type === undefined || m.type === type)
      const messages = this.#inFlight.filter(isMeant)
      this.#inFlight = this.#inFlight.filter(m => !isMeant(m))
      count += messages.length
      for (const m of messages) {
        this.output.write(`${drop ? 'dropped: ' : ''}${describeMessage(m)}\n`)
        if (drop) continue
        const text = stepTexts[this.node(id).core.step(m)]
        if (text !== undefined) this.output.write(`${text}\n`)
      }
    }
    return count
  }

  processReady (node: ScriptNode): void {
    const ready = node.core.ready()
    this.output.write(describeReady(ready))
    const isAsync = node.options.asyncStorageWrites === true
    if (!isAsync) {
      append(node, ready.hardState, ready.entries, ready.snapshot)
      apply(node, ready.committedEntries)
    }
    for (const m of ready.messages) {
      if (!isStorageLane(m.to)) this.#inFlight.push(m)
      else if (m.to === appendThread) node.appendWork.push(m)
      else node.applyWork.push(m)
    }
    if (!isAsync) node.core.advance()
  }

  processAppendWork (node: ScriptNode): void {
    const work = node.appendWork.shift()
    if (work === undefined) return this.output.write('no append work to perform')
    this.#showWork(work)
    append(node, hardStateOf(work), work.entries, work.snapshot)
    this.#showResponses(work)
  }

  processApplyWork (node: ScriptNode): void {
    const work = node.applyWork.shift()
    if (work === undefined) return this.output.write('no apply work to perform')
    this.#showWork(work)
    apply(node, work.entries)
    this.#showResponses(work)
  }

  #showWork (work: Message): void {
    this.output.write(`Processing:\n${describeMessage(message(work.type, { ...work, responses: [] }))}\n`)
  }

  #showResponses ({ responses }: Message): void {
    this.output.write(`Responses:\n${responses.map(m => `${describeMessage(m)}\n`).join('')}`)
    this.queue(responses)
  }
}

function isLocal ({ from, to }: Message): boolean {
  return from === to || isStorageLane(from) || isStorageLane(to)
}

function append ({ log }: ScriptNode, hard: HardState | undefined, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
  if (hard !== undefined) log.setHardState(hard)
  if (snapshot === undefined) return log.append(entries)
  if (entries.length > 0) throw new StorageRefusal("can't apply snapshot and entries at the same time")
  log.applySnapshot(snapshot)
}

function apply ({ core, history }: ScriptNode, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const change = decodeConfChange(entry)
    const before = history.at(-1)!
    const update = change === undefined ? entry.data : change.context
    const confState = change === undefined ? before.meta.confState : core.applyConfChange(change)
    history.push({
      meta: { index: entry.index, term: entry.term, confState },
      data: update.length === 0 ? before.data : concat(before.data, update)
    })
  }
}

function concat (first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0 && second.length === 0) return emptyData
  const joined = new Uint8Array(first.length + second.length)
  joined.set(first)
  joined.set(second, first.length)
  return joined
}
