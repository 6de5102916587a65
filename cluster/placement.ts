import { chooseAllocations } from './allocation.ts'
import type { AllocationReason, AllocationWhy } from './api/allocation-reason.ts'
import { NotEnoughPeersError } from './api/errors.ts'
import type { MeasuredPeer } from './api/metric.ts'
import type { PeerId, Replication } from './api/pin.ts'
import type { Standing } from './candidates.ts'
import type { Allocator } from './ports.ts'

export interface PlacementQuestion {
  readonly replication: Replication
  readonly self: PeerId
  readonly peerset: readonly PeerId[]
  /** Who has it already. */
  readonly holders: readonly PeerId[]
  /** Who should have it if that is possible, first choice first. */
  readonly wanted: readonly PeerId[]
  /** Whose daemons have the content already: they need no room for it. */
  readonly inPlace?: readonly PeerId[]
  /** How the members stand, and who orders them. Absent where nobody measures: then all are as good, this peer first. */
  readonly measures?: { readonly standing: Standing, readonly allocator: Allocator }
}

/** Of the peers that could not be chosen so many are named in an error; `explainPlacement` names all. */
const leftOutMax = 20

/** Complete by type: what keeps a peer from being chosen even where there are too few. */
const isRefusal: Readonly<Record<AllocationWhy, boolean>> = {
  everywhere: false, holder: false, wished: false, ranked: false, 'not-needed': false, surplus: false, silent: true, unmeasured: true, full: true, draining: true, 'not-a-member': true
}

/**
 * Who holds a pin: who has it, who was wished for, then the others from the best on. Empty when all do.
 *
 * @throws NotEnoughPeersError
 */
export function placePin (question: PlacementQuestion): readonly PeerId[] {
  const { replication, holders } = question
  if (replication === 'everywhere') return []
  const chosen = choose(question, replication)
  const isAsBefore = chosen.length === holders.length && holders.every(peer => chosen.includes(peer))
  return isAsBefore ? holders : chosen // in their order, so that nothing is logged for nothing
}

/** What speaks for and against each peer, those that are chosen first. When there are not enough, nobody is chosen. */
export function explainPlacement (question: PlacementQuestion): readonly AllocationReason[] {
  const { peerset, holders, wanted, replication } = question
  if (replication === 'everywhere') return peerset.map(peer => ({ peer, isChosen: true, why: 'everywhere', detail: '' }))
  const chosen = chosenOrNone(question)
  const { candidates } = weigh(question)
  const inOrder = new Set([...chosen ?? [], ...holders, ...wanted, ...candidates, ...peerset])
  return [...inOrder].map(peer => reasonFor(peer, chosen, question))
}

/** How many daemons must hold it before it counts as pinned: for what goes everywhere a majority, so that one dead peer blocks nobody. */
export function holdersNeeded (replication: Replication, peerset: readonly PeerId[]): number {
  return replication === 'everywhere' ? Math.floor(peerset.length / 2) + 1 : replication.min
}

function choose (question: PlacementQuestion, { min, max }: Exclude<Replication, 'everywhere'>): readonly PeerId[] {
  try {
    return chooseAllocations({ min, max, ...weigh(question) })
  } catch (err) {
    throw err instanceof NotEnoughPeersError ? new NotEnoughPeersError(err.needed, err.available, err.message + leftOutText(question)) : err
  }
}

/** Of each peer that could not be chosen, why. */
function leftOutText (question: PlacementQuestion): string {
  const { holders, wanted, peerset } = question
  const leftOut = [...new Set([...wanted, ...holders, ...peerset])].map(peer => reasonFor(peer, undefined, question)).filter(({ why }) => isRefusal[why])
  if (leftOut.length === 0) return `; the cluster has ${peerset.length === 1 ? '1 peer' : `${peerset.length} peers`}`
  const told = leftOut.slice(0, leftOutMax).map(({ peer, why, detail }) => `${peer}: ${why}${detail === '' ? '' : `, ${detail}`}`)
  const rest = leftOut.length - told.length
  return `; left out: ${told.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`
}

interface Weighed { readonly holders: readonly PeerId[], readonly silent: readonly PeerId[], readonly candidates: readonly PeerId[] }

function weigh ({ replication, self, peerset, holders, wanted, inPlace = [], measures }: PlacementQuestion): Weighed {
  const members = new Set(peerset)
  const present = holders.filter(peer => members.has(peer))
  const isFree = (peer: PeerId): boolean => members.has(peer) && !present.includes(peer)
  if (measures === undefined) return { holders: present, silent: [], candidates: unique([...wanted, self, ...[...peerset].sort()].filter(isFree)) }

  const { standing: { heard, refused, measured }, allocator } = measures
  const factsOf = (peers: readonly PeerId[]): readonly MeasuredPeer[] => peers.flatMap(peer => measured.get(peer) ?? [])
  const counted = present.filter(peer => heard.has(peer))
  const isRefused = (peer: PeerId): boolean => refused.has(peer) && !(refused.get(peer)!.why === 'full' && inPlace.includes(peer))
  const candidates = peerset.filter(peer => isFree(peer) && !isRefused(peer))
  const wished = unique(wanted.filter(peer => candidates.includes(peer)))
  const others = candidates.filter(peer => !wished.includes(peer))
  const isTooMany = replication !== 'everywhere' && counted.length > replication.max
  // Those stay that were wished for, then the best.
  const bestFirst = (): readonly PeerId[] => unique([...wanted.filter(peer => counted.includes(peer)), ...allocator.order(factsOf(counted.filter(peer => !refused.has(peer))), []), ...counted])
  return {
    holders: isTooMany ? bestFirst() : counted,
    silent: present.filter(peer => !heard.has(peer)),
    candidates: [...wished, ...allocator.order(factsOf(others), factsOf([...counted, ...wished]))]
  }
}

function chosenOrNone (question: PlacementQuestion): readonly PeerId[] | undefined {
  try {
    return placePin(question)
  } catch (err) {
    if (err instanceof NotEnoughPeersError) return undefined
    throw err
  }
}

function reasonFor (peer: PeerId, chosen: readonly PeerId[] | undefined, { peerset, holders, wanted, measures }: PlacementQuestion): AllocationReason {
  const isChosen = chosen?.includes(peer) === true
  const detail = figuresOf(measures?.standing.measured.get(peer), measures?.allocator.metricNames ?? [])
  const refusal = measures?.standing.refused.get(peer)
  if (!peerset.includes(peer)) return { peer, isChosen, why: 'not-a-member', detail: '' }
  if (holders.includes(peer)) {
    if (isChosen) return { peer, isChosen, why: 'holder', detail }
    const isHeard = measures?.standing.heard.has(peer) !== false
    return isHeard ? { peer, isChosen, why: chosen === undefined ? 'holder' : 'surplus', detail } : { peer, isChosen, ...refusal! }
  }
  if (refusal !== undefined) return { peer, isChosen, ...refusal }
  if (!isChosen && chosen !== undefined) return { peer, isChosen, why: 'not-needed', detail }
  return { peer, isChosen, why: wanted.includes(peer) ? 'wished' : 'ranked', detail }
}

function figuresOf (measured: MeasuredPeer | undefined, names: readonly string[]): string {
  return names.flatMap(name => measured?.metrics.get(name) ?? []).map(({ name, value }) => `${name} ${value}`).join(', ')
}

const unique = (peers: readonly PeerId[]): readonly PeerId[] => [...new Set(peers)]
