/** Four peers over one pinset, of which one at a time gives pins to others, on a clock that goes when it is told. */
import { createBalancedAllocator } from '../../cluster/allocator/balanced.ts'
import { ClusterError } from '../../cluster/api/errors.ts'
import type { Metric } from '../../cluster/api/metric.ts'
import type { PeerId, Pin } from '../../cluster/api/pin.ts'
import { FakeClock } from '../../cluster/clock.ts'
import { closestPeer } from '../../cluster/closest-peer.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createPlacer } from '../../cluster/placer.ts'
import type { ClusterApi, Component, Consensus, PinsetOp } from '../../cluster/ports.ts'
import { createRepinner } from '../../cluster/repinner.ts'
import { createMemoryState } from '../../cluster/state/memory-state.ts'
import { cidOf, standingOf } from './pins.ts'

export const [a, b, c, d] = ['a', 'b', 'c', 'd'] as unknown as readonly [PeerId, PeerId, PeerId, PeerId]
export const minuteMs = 60_000
export const onTwo = (...allocations: PeerId[]): Partial<Pin> => ({ replication: { min: 2, max: 2 }, allocations })

export class RepinWorld {
  readonly clock = new FakeClock()
  readonly state = createMemoryState()
  peerset: PeerId[] = [a, b, c, d]
  alive: PeerId[] = [a, b, c, d]
  leader: PeerId | undefined = a
  draining: PeerId[] = []
  /** Who has no copy yet of what it is to hold. */
  copying: PeerId[] = []
  readonly logged: PinsetOp[] = []
  /** What stands in the way of logging this op, if anything. */
  refuse: (op: PinsetOp) => Error | undefined = () => undefined
  #index = 0n

  async put (...pins: readonly Pin[]): Promise<void> {
    await this.state.apply([{ ops: pins.map(pin => ({ kind: 'pin', pin })), index: ++this.#index }])
  }

  get consensus (): Pick<Consensus, 'state' | 'log' | 'leader' | 'peerset' | 'writers' | 'isTrusted'> {
    return {
      state: this.state,
      leader: () => this.leader,
      peerset: () => this.peerset,
      writers: () => this.peerset,
      isTrusted: () => true,
      log: async ops => {
        const reason = this.refuse(ops[0]!)
        if (reason !== undefined) throw reason
        const [applied] = await this.state.apply([{ ops: ops, index: ++this.#index }])
        if (applied!.some(outcome => 'outdated' in outcome)) throw new ClusterError('ERR_OUTDATED', 'somebody was quicker')
        this.logged.push(...ops)
        return this.#index
      }
    }
  }

  repinner (self: PeerId = a, { disableRepinning = false } = {}): Component {
    const metric: Metric = { name: '', peer: a, value: '', weight: 1 << 30, isValid: true, isPartitionable: false, receivedAtMs: 0, expireAtMs: Infinity }
    const draining = (): ReadonlySet<PeerId> => new Set(this.draining)
    const monitor = { latest: (name: string) => name === 'pinqueue' ? [] : this.alive.map(peer => ({ ...metric, name, peer })) }
    const placer = createPlacer({ self, peerset: () => this.peerset, draining, silent: () => new Set(), monitor, allocator: createBalancedAllocator({ allocateBy: ['freespace'] }) })
    const status: ClusterApi['status'] = async cid => {
      const { pin } = (await this.state.get(cid))!
      return standingOf(pin, pin.allocations.filter(peer => this.alive.includes(peer)), peer => this.copying.includes(peer) ? 'pinning' : 'pinned')
    }
    return createRepinner({ self, consensus: this.consensus, draining, monitor, placer, status, clock: this.clock, log: silentLogger }, { disableRepinning })
  }

  /** Time goes by in small steps, with all that is to be done in between. */
  async pass (ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 200) {
      this.clock.advance(200)
      await new Promise(setImmediate)
    }
  }

  async allocations (seed: string | number): Promise<readonly PeerId[] | undefined> {
    return (await this.state.get(cidOf(seed)))?.pin.allocations
  }
}

/** Seeds of CIDs that `peer` is the closest to among `peers`. */
export const seedsOf = (peer: PeerId, peers: readonly PeerId[], count: number): readonly number[] =>
  Array.from({ length: 1_000 }, (_, i) => i).filter(i => closestPeer(cidOf(i), peers) === peer).slice(0, count)
