import { emptyData } from '../core/entries.ts'
import type { RaftCore } from '../core/raft.ts'
import type { ConfChange, ConfState, EntryInput, NodeId, Ready, Snapshot } from '../core/types.ts'
import { Environment } from './environment.ts'
import type { NodeOptions, ScriptNode } from './environment.ts'
import { stabilize } from './stabilize.ts'

export const electionTicks = 10

/** Peers in memory for tests of the core, with all messages in one queue; what is to be lost is dropped by the test. */
export class Group {
  readonly env = new Environment()

  /** Starts from a snapshot at index 2 and term 1. `size` counts those who are no members yet as well. */
  constructor (conf: Partial<ConfState> & { readonly size?: number }, options: Partial<NodeOptions> = {}) {
    const confState: ConfState = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false, ...conf }
    const snapshot: Snapshot = { meta: { index: 2, term: 1, confState }, data: emptyData }
    const count = conf.size ?? confState.voters.length + confState.learners.length
    for (let i = 0; i < count; i++) this.env.addNode({ electionTicks, heartbeatTicks: 1, applied: 2, ...options }, snapshot, true)
    this.env.output.setLevel('none')
  }

  node (id: NodeId): ScriptNode { return this.env.node(id) }
  core (id: NodeId): RaftCore { return this.env.node(id).core }

  /** Lets these peers, or all, work and receive until they rest. */
  settle (...ids: readonly NodeId[]): void {
    stabilize(this.env, { command: 'stabilize', args: ids.map(id => ({ key: String(id), values: [] })), input: '', expected: '', line: 0 })
  }

  /** What is on its way to them never arrives. */
  lose (...ids: readonly NodeId[]): void {
    this.env.deliver(ids.map(id => ({ id, drop: true })), undefined)
  }

  elect (id: NodeId): RaftCore {
    this.core(id).campaign()
    this.settle()
    return this.core(id)
  }

  tick (id: NodeId, times = 1): void {
    for (let i = 0; i < times; i++) this.core(id).tick()
  }
}

/** One Ready of a synchronous peer, made durable and done; what it sends stays with the test, and nothing is applied. */
export function turn ({ core, log }: ScriptNode): Ready {
  const ready = core.ready()
  if (ready.hardState !== undefined) log.setHardState(ready.hardState)
  if (ready.snapshot !== undefined) log.applySnapshot(ready.snapshot)
  log.append(ready.entries)
  core.advance()
  return ready
}

export function entry (text: string): EntryInput {
  return { type: 'EntryNormal', data: new TextEncoder().encode(text) }
}

export function change (changes: ConfChange['changes'], transition: ConfChange['transition'] = 'auto'): ConfChange {
  return { transition, changes, context: emptyData }
}
