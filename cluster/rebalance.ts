import type { CID } from 'multiformats/cid'
import { ClusterError } from './api/errors.ts'
import { pingName } from './api/metric.ts'
import type { PeerId, Pin } from './api/pin.ts'
import { pause } from './async/pause.ts'
import { betterPlace, shifted, spaceNames } from './balancing.ts'
import { judgePeers } from './candidates.ts'
import type { Standing } from './candidates.ts'
import type { Clock } from './clock.ts'
import type { Move, RebalanceWish } from './peer-ports.ts'
import type { Mover } from './mover.ts'
import type { AbortOptions, Allocator, Consensus, Monitor } from './ports.ts'
import { pinPages } from './pin-pages.ts'
import { isOnTheMove } from './relocation.ts'

const restMs = 200
/** What a pin is taken for whose size nobody knows. */
const assumedBytes = 256 << 10

export interface RebalanceComponents {
  readonly self: PeerId
  readonly consensus: Pick<Consensus, 'state' | 'leader' | 'peerset' | 'assertMayChange'>
  readonly draining: () => ReadonlySet<PeerId>
  readonly monitor: Pick<Monitor, 'latest' | 'alerts'>
  readonly allocator: Allocator
  readonly mover: Mover
  /** Of all below a CID; `undefined` where that cannot be told. */
  readonly sizeOf: (cid: CID, options: AbortOptions) => Promise<number | undefined>
  readonly clock: Clock
}

export interface RebalanceConfig {
  /** A peer that was silent so lately may be so again: nothing is moved because of it. */
  readonly calmMs: number
}

/** Moves pins to where the allocator would put them now, one at a time. */
export interface Rebalance {
  /**
   * What is moved, as it is done, or with `isDry` what would be. It ends when who asks leaves: what is under way then is put back.
   *
   * @throws ClusterError ERR_PEER_FAILED while peers come and go, which it names; ERR_INVALID_ARGUMENT while another one is under way here; ERR_STORES_ONLY; ERR_NO_LEADER
   */
  run (wish: RebalanceWish, options: AbortOptions): AsyncIterable<Move>
}

export function createRebalance ({ self, consensus, draining, monitor, allocator, mover, sizeOf, clock }: RebalanceComponents, { calmMs }: RebalanceConfig): Rebalance {
  const { state } = consensus
  let isRunning = false

  function assertCalm (): void {
    if (consensus.leader() === undefined) throw new ClusterError('ERR_NO_LEADER', 'no leader is known: nothing can be moved')
    const refuse = (why: string): never => { throw new ClusterError('ERR_PEER_FAILED', `nothing is moved: ${why}`) }
    const heard = new Set(monitor.latest(pingName).map(({ peer }) => peer)).add(self)
    const members = consensus.peerset()
    for (const peer of members) if (!heard.has(peer)) refuse(`${peer} is silent`)
    for (const peer of draining()) refuse(`${peer} is being drained, which comes first`)
    const alert = monitor.alerts().find(({ metric, triggeredAtMs }) => metric.name === pingName && members.includes(metric.peer) && clock.now() - triggeredAtMs < calmMs)
    if (alert !== undefined) refuse(`${alert.metric.peer} was silent ${Math.round((clock.now() - alert.triggeredAtMs) / 1_000)} s ago; all have to be there for ${calmMs / 1_000} s`)
  }

  const look = (): Standing => judgePeers({ peerset: consensus.peerset(), metricNames: allocator.metricNames, draining: draining(), latest: monitor.latest, givenSince: () => 0 })

  /** What has been moved since, or in a plan is going to be, is added to what the peers say of themselves: for as long as they have not measured anew. */
  function plannerOf (frozen: Standing | undefined) {
    const moved = new WeakMap<object, number>()
    const spaceOf = (standing: Standing, peer: PeerId): object | undefined => (frozen === undefined ? spaceNames.flatMap(name => monitor.latest(name)).find(metric => metric.peer === peer) : standing.measured.get(peer))
    return async (pin: Pin, options: AbortOptions): Promise<Move | undefined> => {
      const { cid, name, replication, allocations } = pin
      if (replication === 'everywhere' || allocations.length < replication.min || isOnTheMove(pin)) return undefined
      const standing = frozen ?? look()
      if (!allocations.every(peer => standing.heard.has(peer))) return undefined
      const measured = new Map([...standing.measured].map(([peer, facts]) => [peer, shifted(facts, moved.get(spaceOf(standing, peer) ?? facts) ?? 0)]))
      const candidates = consensus.peerset().filter(peer => !allocations.includes(peer) && !standing.refused.has(peer))
      const question = { holders: allocations, candidates, measured, allocator }
      if (betterPlace({ ...question, bytes: assumedBytes }) === undefined) return undefined
      const bytes = await sizeOf(cid, options)
      const place = betterPlace({ ...question, bytes: bytes ?? assumedBytes })
      if (place === undefined) return undefined
      for (const [peer, more] of [[place.from, 1], [place.to, -1]] as const) {
        const key = spaceOf(standing, peer)
        if (key !== undefined) moved.set(key, (moved.get(key) ?? 0) + more * (bytes ?? assumedBytes))
      }
      const figures = (peer: PeerId): string => allocator.metricNames.flatMap(metric => measured.get(peer)!.metrics.get(metric) ?? []).map(({ name, value, weight }) => `${name} ${spaceNames.includes(name) ? weight : value}`).join(', ')
      return { cid, name, ...place, bytes, why: `${figures(place.from)} → ${figures(place.to)}`, state: 'planned', detail: '' }
    }
  }

  async function * walk ({ isDry, bytesPerSecond }: RebalanceWish, options: AbortOptions): AsyncGenerator<Move, void, undefined> {
    const plan = plannerOf(isDry ? look() : undefined)
    for await (const page of pinPages(state, options)) for (const { cid } of page) {
      const entry = await state.get(cid)
      if (entry === undefined) continue
      if (!isDry) assertCalm()
      const move = await plan(entry.pin, options)
      if (move === undefined) continue
      if (isDry) {
        yield move
        continue
      }
      const begunMs = clock.now()
      yield await mover.move(move, entry, options)
      await pause(clock, Math.max(restMs, (move.bytes ?? assumedBytes) / bytesPerSecond * 1_000 - (clock.now() - begunMs)), options.signal)
    }
  }

  return {
    async * run (wish, options) {
      options.signal.throwIfAborted()
      if (isRunning) throw new ClusterError('ERR_INVALID_ARGUMENT', 'a rebalance is under way here already')
      if (!wish.isDry) consensus.assertMayChange()
      assertCalm()
      isRunning = true
      try {
        yield * walk(wish, options)
      } finally {
        isRunning = false
      }
    }
  }
}
