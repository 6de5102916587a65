import { SimDisk } from '../simulator/disk.ts'
import { SimPeer } from '../simulator/peer.ts'
import { Spec } from '../simulator/spec.ts'
import { cloneMessage } from '../simulator/clone.ts'
import { createRandom } from '../simulator/random.ts'
import { createTrace } from '../simulator/trace.ts'
import { clientsMax, encodeCommand } from '../simulator/machine.ts'
import { drawSettings } from '../simulator/settings.ts'
import { hardStateOf, message } from '../core/message.ts'
import type { RaftCore } from '../core/raft.ts'
import type { Settings } from '../simulator/settings.ts'
import type { ConfChange, ConfChangeSingle, ConfState, Entry, Index, Message, MessageType, NodeId, ProposeResult, RaftCoreConfig, Status, Term } from '../core/types.ts'

export interface GroupOptions {
  readonly voters?: number
  readonly learners?: readonly NodeId[]
  /** Peers that run and know the group, but are no members. */
  readonly others?: readonly NodeId[]
  /** By peer: the terms of the entries in its log. */
  readonly logs?: Readonly<Record<NodeId, readonly Term[]>>
  /** By peer: the term it is in; at least that of its last entry. */
  readonly terms?: Readonly<Record<NodeId, Term>>
  readonly commits?: Readonly<Record<NodeId, Index>>
  readonly conf?: Partial<ConfState>
  readonly settings?: Partial<Settings>
  readonly core?: Partial<RaftCoreConfig>
  readonly cores?: Readonly<Record<NodeId, Partial<RaftCoreConfig>>>
}

/** Real cores on disks that never fail, with every message in the hands of the test; the specification watches. */
export interface Group {
  readonly spec: Spec
  readonly ids: readonly NodeId[]
  peer: (id: NodeId) => SimPeer
  core: (id: NodeId) => RaftCore
  status: (id: NodeId) => Status
  /** Messages on their way, oldest first. */
  readonly waiting: Message[]
  /** While set: what gets lost. */
  drop: (message: Message) => boolean
  /** Everyone does what there is to do; nothing is delivered. */
  work: () => void
  /** Delivers and works until all is quiet. */
  settle: () => void
  /** Takes what is on its way, undelivered. */
  take: (type?: MessageType) => readonly Message[]
  step: (to: NodeId, type: MessageType, fields: Partial<Message>) => void
  deliver: (message: Message) => void
  /** Carries out a storage write that the test has taken from an asynchronous core. */
  persist: (id: NodeId, append: Message) => void
  campaign: (id: NodeId) => void
  /** So many ticks of one peer's clock, nothing delivered. */
  tick: (id: NodeId, ticks?: number) => void
  /** So many ticks of all clocks, everything delivered after each. */
  pass: (ticks: number) => void
  propose: (id: NodeId, bytes?: number) => ProposeResult
  change: (id: NodeId, changes: readonly ConfChangeSingle[], transition?: ConfChange['transition']) => ProposeResult
  cut: (...ids: readonly NodeId[]) => void
  heal: () => void
  leader: () => NodeId | undefined
  terms: (id: NodeId) => readonly Term[]
}

const base = drawSettings({ seed: 1, voters: 3, learners: 0, ticks: 1, profile: 'calm' })
const plain: Settings = {
  ...base, electionTicks: 10, asyncStorage: false, stepDownOnRemoval: true, disableForwarding: false, mixedPreVote: false, preVote: false,
  checkQuorum: false, messageBytesMax: 65_536, applyBytesMax: 65_536, uncommittedBytesMax: 1_000_000, inflightMessagesMax: 64,
  inflightBytesMax: 0, snapshotEvery: 1_000_000, payloadMost: 1_000, coldReads: 0, syncFailure: 0
}
const settleStepsMax = 20_000

export function createGroup (options: GroupOptions = {}): Group {
  const { voters = 3, learners = [], others = [], logs = {}, terms = {}, commits = {} } = options
  const settings = { ...plain, ...options.settings }
  const members = Array.from({ length: voters }, (_, at) => at + 1)
  const conf: ConfState = { voters: members, votersOutgoing: [], learners, learnersNext: [], autoLeave: false, ...options.conf }
  const ids = [...new Set([...members, ...conf.votersOutgoing, ...learners, ...others])].sort((a, b) => a - b)
  const peers = new Map<NodeId, SimPeer>()
  const waiting: Message[] = []
  const isCut = new Set<NodeId>()
  let sequence = 0
  let rounds = 0
  const peer = (id: NodeId): SimPeer => peers.get(id) as SimPeer
  const spec = new Spec(settings, id => peer(id).disk.durable)

  for (const id of ids) {
    const log = (logs[id] ?? []).map((term, at): Entry => ({ term, index: at + 1, type: 'EntryNormal', data: encodeCommand({ client: clientsMax, sequence: at }, 0) }))
    const hard = { term: terms[id] ?? log.at(-1)?.term ?? 0, vote: 0, commit: commits[id] ?? 0 }
    const snapshot = { meta: { index: 0, term: 0, confState: conf }, data: new Uint8Array(4 + 4 * clientsMax) }
    const disk = new SimDisk(createRandom(id, 1), { base: 0, baseTerm: 0, entries: log, hard, snapshot })
    peers.set(id, new SimPeer(id, disk, {
      settings,
      spec,
      random: createRandom(id, 2),
      trace: createTrace(),
      round: () => rounds,
      send: (_, sent) => { waiting.push(cloneMessage(sent)) },
      applied: () => {},
      isCalm: () => true,
      core: { ...options.core, ...options.cores?.[id] }
    }))
    peer(id).start()
  }

  const group: Group = {
    spec,
    ids,
    peer,
    waiting,
    core: id => peer(id).core,
    status: id => peer(id).core.status(),
    drop: () => false,
    work: () => {
      rounds++
      for (const id of ids) peer(id).work()
    },
    settle: () => {
      group.work()
      for (let steps = 0; waiting.length > 0; steps++) {
        if (steps > settleStepsMax) throw new Error('the group never comes to rest')
        group.deliver(waiting.shift() as Message)
      }
    },
    take: type => type === undefined ? waiting.splice(0) : removed(waiting, sent => sent.type === type),
    step: (to, type, fields) => {
      peer(to).receive(message(type, { to, ...fields }))
      group.work()
    },
    deliver: sent => {
      if (isCut.has(sent.from) || isCut.has(sent.to) || group.drop(sent) || peers.get(sent.to) === undefined) return
      rounds++
      peer(sent.to).receive(sent)
      peer(sent.to).work()
    },
    persist: (id, append) => {
      const { disk, core } = peer(id)
      disk.write({ hard: hardStateOf(append), entries: append.entries, snapshot: append.snapshot })
      disk.sync(disk.unsyncedRecords)
      for (const response of append.responses) if (response.to === id) core.step(response)
    },
    campaign: id => {
      peer(id).core.campaign()
      group.settle()
    },
    tick: (id, ticks = 1) => {
      for (let passed = 0; passed < ticks; passed++) peer(id).tick()
      peer(id).work()
    },
    pass: ticks => {
      for (let passed = 0; passed < ticks; passed++) {
        for (const id of ids) peer(id).tick()
        group.settle()
      }
    },
    propose: (id, bytes = 0) => {
      const result = peer(id).core.propose([{ type: 'EntryNormal', data: encodeCommand({ client: clientsMax, sequence: ++sequence }, bytes) }])
      group.work()
      return result
    },
    change: (id, changes, transition = 'auto') => {
      const result = peer(id).core.proposeConfChange({ transition, changes, context: new Uint8Array(0) })
      group.work()
      return result
    },
    cut: (...cut) => { for (const id of cut) isCut.add(id) },
    heal: () => { isCut.clear() },
    leader: () => ids.filter(id => peer(id).isUp && group.status(id).role === 'leader').sort((a, b) => group.status(b).term - group.status(a).term)[0],
    terms: id => peer(id).disk.seen.entries.map(({ term }) => term)
  }
  group.work()
  return group
}

export const add = (nodeId: NodeId): ConfChangeSingle => ({ type: 'ConfChangeAddNode', nodeId })
export const addLearner = (nodeId: NodeId): ConfChangeSingle => ({ type: 'ConfChangeAddLearnerNode', nodeId })
export const remove = (nodeId: NodeId): ConfChangeSingle => ({ type: 'ConfChangeRemoveNode', nodeId })

function removed (from: Message[], matches: (message: Message) => boolean): readonly Message[] {
  const taken = from.filter(matches)
  for (const message of taken) from.splice(from.indexOf(message), 1)
  return taken
}
