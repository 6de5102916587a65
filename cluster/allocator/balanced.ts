import type { MeasuredPeer } from '../api/metric.ts'
import type { PeerId } from '../api/pin.ts'
import type { Allocator } from '../ports.ts'
import type { BalancedConfig } from './config.ts'

/** Peers that are alike in one metric; of a metric that is no group's, each peer is one of its own. */
interface Group {
  readonly value: string
  readonly weight: number
  readonly members: readonly MeasuredPeer[]
  readonly holders: readonly MeasuredPeer[]
}

/**
 * Spreads pins over groups and, within them, gives to those first that have most to give: peers are divided by the first metric, the
 * parts by the second, and so on; then each part in turn gives its best peer. Parts that hold the pin already come later.
 *
 * @see ipfs-cluster `allocator/balanced` — the same order, but it does not look at who holds the pin, and leaves ties to chance
 */
export function createBalancedAllocator ({ allocateBy }: BalancedConfig): Allocator {
  return {
    metricNames: allocateBy,
    order: (candidates, holders) => orderBy(allocateBy, candidates, holders)
  }
}

function orderBy ([name, ...finer]: readonly string[], candidates: readonly MeasuredPeer[], holders: readonly MeasuredPeer[]): readonly PeerId[] {
  if (name === undefined) return candidates.map(({ peer }) => peer).sort()
  const finest = finer.at(-1) ?? name
  const groups = groupsOf(name, candidates, holders).sort((a, b) => compareGroups(a, b, finest))
  return interleave(groups.map(group => ({ peers: orderBy(finer, group.members, group.holders), given: group.holders.length })))
}

function groupsOf (name: string, candidates: readonly MeasuredPeer[], holders: readonly MeasuredPeer[]): Group[] {
  const groups = new Map<string, Group & { members: MeasuredPeer[] }>()
  for (const member of candidates) {
    const { value, weight, isPartitionable } = metricOf(member, name)
    const key = isPartitionable ? `value ${value}` : `peer ${member.peer}`
    const group = groups.get(key)
    if (group === undefined) {
      const alike = isPartitionable ? holders.filter(holder => holder.metrics.get(name)?.value === value) : []
      groups.set(key, { value, weight, members: [member], holders: alike })
    } else {
      groups.set(key, { ...group, weight: Math.max(group.weight, weight), members: [...group.members, member] })
    }
  }
  return [...groups.values()]
}

/** The heavier first, then the one whose peers have more to give in all. */
function compareGroups (a: Group, b: Group, finest: string): number {
  return b.weight - a.weight || sumOf(b, finest) - sumOf(a, finest) || compareTexts(a.value, b.value) || compareTexts(firstOf(a), firstOf(b))
}

/** The best of each in turn; whoever has been given less is next. */
function interleave (parts: readonly { readonly peers: readonly PeerId[], readonly given: number }[]): readonly PeerId[] {
  const waiting = parts.map(({ peers, given }) => ({ peers: [...peers].reverse(), given }))
  const ordered: PeerId[] = []
  for (let left = waiting.filter(({ peers }) => peers.length > 0); left.length > 0; left = left.filter(({ peers }) => peers.length > 0)) {
    const next = left.reduce((least, part) => part.given < least.given ? part : least)
    ordered.push(next.peers.pop()!)
    next.given++
  }
  return ordered
}

function metricOf ({ peer, metrics }: MeasuredPeer, name: string): { readonly value: string, readonly weight: number, readonly isPartitionable: boolean } {
  const metric = metrics.get(name)
  if (metric === undefined) throw new TypeError(`${peer} has no metric ${name} to be ordered by`)
  return metric
}

function sumOf ({ members }: Group, name: string): number {
  return members.reduce((sum, member) => sum + metricOf(member, name).weight, 0)
}

const firstOf = ({ members }: Group): string => members.map(({ peer }) => peer).sort()[0]!
const compareTexts = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0
