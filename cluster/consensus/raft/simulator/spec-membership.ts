import type { ConfChange, ConfState, NodeId } from '../core/types.ts'

/**
 * What a membership change means, written down a second time and without looking at the engine: sets in, sets
 * out. The engine's answer must be the same at every index.
 */
export function changed (conf: ConfState, change: ConfChange): ConfState {
  const leaves = change.transition === 'auto' && change.changes.length === 0
  if (leaves) return conf.votersOutgoing.length === 0 ? conf : left(conf)

  const joins = change.transition !== 'auto' || change.changes.length > 1
  const outgoing = new Set(joins ? conf.voters : conf.votersOutgoing)
  const voters = new Set(conf.voters)
  const learners = new Set(conf.learners)
  const learnersNext = new Set(conf.learnersNext)
  for (const { type, nodeId } of change.changes) {
    if (nodeId === 0 || type === 'ConfChangeUpdateNode') continue
    if (type === 'ConfChangeAddNode') {
      voters.add(nodeId)
      learners.delete(nodeId)
      learnersNext.delete(nodeId)
      continue
    }
    voters.delete(nodeId)
    learners.delete(nodeId)
    learnersNext.delete(nodeId)
    if (type === 'ConfChangeAddLearnerNode') (outgoing.has(nodeId) ? learnersNext : learners).add(nodeId)
  }
  return {
    voters: ascending(voters),
    votersOutgoing: ascending(outgoing),
    learners: ascending(learners),
    learnersNext: ascending(learnersNext),
    autoLeave: joins && change.transition !== 'explicit'
  }
}

function left (conf: ConfState): ConfState {
  return {
    voters: conf.voters,
    votersOutgoing: [],
    learners: ascending(new Set([...conf.learners, ...conf.learnersNext])),
    learnersNext: [],
    autoLeave: false
  }
}

/** Whether `agreeing` is a majority of the voters: of both halves while the membership is joint. */
export function isQuorum ({ voters, votersOutgoing }: ConfState, agrees: (id: NodeId) => boolean): boolean {
  return isMajority(voters, agrees) && (votersOutgoing.length === 0 || isMajority(votersOutgoing, agrees))
}

export function membersOf ({ voters, votersOutgoing, learners, learnersNext }: ConfState): readonly NodeId[] {
  return ascending(new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext]))
}

export function isVoter ({ voters, votersOutgoing }: ConfState, id: NodeId): boolean {
  return voters.includes(id) || votersOutgoing.includes(id)
}

export function sameConf (a: ConfState, b: ConfState): boolean {
  return a === b || (a.autoLeave === b.autoLeave && sameList(a.voters, b.voters) && sameList(a.votersOutgoing, b.votersOutgoing) &&
    sameList(a.learners, b.learners) && sameList(a.learnersNext, b.learnersNext))
}

export function confText (conf: ConfState): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = conf
  return `voters ${voters} outgoing ${votersOutgoing} learners ${learners} next ${learnersNext}${autoLeave ? ' auto-leave' : ''}`
}

function isMajority (voters: readonly NodeId[], agrees: (id: NodeId) => boolean): boolean {
  let agreeing = 0
  for (const id of voters) if (agrees(id)) agreeing++
  return agreeing * 2 > voters.length
}

function sameList (a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at])
}

function ascending (ids: ReadonlySet<NodeId>): readonly NodeId[] {
  return [...ids].sort((a, b) => a - b)
}
