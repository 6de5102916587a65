import { encodeConfChange } from '../core/conf-codec.ts'
import { emptyData } from '../core/entries.ts'
import { applied, clientsMax, fromSnapshot, toSnapshot } from './machine.ts'
import { changed } from './spec-membership.ts'
import type { LogImage } from './log-image.ts'
import type { MachineState } from './machine.ts'
import type { RunRequest } from './settings.ts'
import type { ConfState, Entry, NodeId } from '../core/types.ts'

const noConf: ConfState = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false }

/** What a peer finds on its disk at first. */
export function firstImage (request: RunRequest, id: NodeId): LogImage {
  const isMember = id <= request.voters + request.learners
  if (request.profile === 'model') return isMember ? withWholeLog(request) : fromStart(0, noConf)
  return fromStart(isMember ? 1 : 0, isMember ? firstConf(request) : noConf)
}

/** The group begins with a snapshot, so that who joins later must be sent one: the first members are in no entry. */
function fromStart (index: 0 | 1, conf: ConfState): LogImage {
  const snapshot = toSnapshot({ ...nothing(), applied: index, appliedTerm: index, conf })
  const { appliedTerm } = fromSnapshot(snapshot)
  return { base: index, baseTerm: appliedTerm, entries: [], hard: { term: appliedTerm, vote: 0, commit: index }, snapshot }
}

/** The model knows no answers to snapshots: who joins there finds the first members in the log, which nobody ever cuts. */
function withWholeLog ({ voters, learners }: RunRequest): LogImage {
  const entries = Array.from({ length: voters + learners }, (_, at): Entry => {
    const type = at < voters ? 'ConfChangeAddNode' : 'ConfChangeAddLearnerNode'
    return { term: 1, index: at + 1, ...encodeConfChange({ transition: 'auto', changes: [{ type, nodeId: at + 1 }], context: emptyData }) }
  })
  let state = nothing()
  for (const entry of entries) {
    const type = entry.index <= voters ? 'ConfChangeAddNode' : 'ConfChangeAddLearnerNode'
    state = applied(state, entry, changed(state.conf, { transition: 'auto', changes: [{ type, nodeId: entry.index }], context: emptyData }))
  }
  return { base: 0, baseTerm: 0, entries, hard: { term: 1, vote: 0, commit: entries.length }, snapshot: toSnapshot(state) }
}

function nothing (): MachineState {
  return { applied: 0, appliedTerm: 0, digest: 0, conf: noConf, sessions: new Array<number>(clientsMax).fill(0) }
}

function firstConf ({ voters, learners }: RunRequest): ConfState {
  const count = (from: number, length: number): NodeId[] => Array.from({ length }, (_, at) => from + at)
  return { ...noConf, voters: count(1, voters), learners: count(voters + 1, learners) }
}
