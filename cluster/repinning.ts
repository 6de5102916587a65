import { setImmediate } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import { cidKeyText } from './api/cid-key.ts'
import { ClusterError } from './api/errors.ts'
import type { ErrorCode } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import { closestPeer } from './closest-peer.ts'
import type { Logger } from './log.ts'
import type { Situation } from './peer-watch.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, ClusterApi, Consensus } from './ports.ts'
import { isMisplaced, nextAllocations } from './relocation.ts'

/** From this round on any peer acts: whose turn it is does not, for whatever reason. The guard lets only one succeed. */
const anybodyFromRound = 2
/** So many at once, then a rest: a peer that is gone must not keep those that are there from their work. */
const atOnceMax = 20
const restMs = 200
/** CIDs that are held in memory; with more, the pinset is read again from where it was left. */
const heldMax = 50_000

/** What every other pin would fail of too. */
const concernsAll: readonly ErrorCode[] = ['ERR_NO_LEADER', 'ERR_STORAGE']

/** Waits for copies that are under way, or is left to another peer, or failed for a cause. */
type Outcome = { readonly is: 'repinned' | 'well' | 'waiting' } | { readonly is: 'left', readonly cause: unknown }

/** How many pins were changed, wait for copies, or were left to others or to a later try. */
export type Repinned = Readonly<Record<'repinned' | 'waiting' | 'left', number>>

export interface RepinComponents {
  readonly self: PeerId
  readonly consensus: Pick<Consensus, 'state' | 'log' | 'writers'>
  readonly look: () => Situation
  readonly placer: Pick<Placer, 'place'>
  /** Of one pin on all peers. */
  readonly status: ClusterApi['status']
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Gives pins to other peers where those that hold them are gone, and lets these off once enough others have a copy, see `nextAllocations`. The closest
 * of the peers that are there and may change the pinset acts for a pin; `round` counts the tries since somebody came or went.
 *
 * @throws ClusterError ERR_NO_LEADER, ERR_STORAGE
 */
export type Repin = (round: number, options: AbortOptions) => Promise<Repinned>

export function createRepin ({ self, consensus, look, placer, status, clock, log }: RepinComponents): Repin {
  const { state } = consensus

  /** @returns what is misplaced behind `last`, in the order of the pinset */
  async function misplacedAfter (last: string, options: AbortOptions): Promise<readonly CID[]> {
    const situation = look()
    const found: CID[] = []
    for await (const pin of state.list(options)) {
      if (!isMisplaced(pin, situation) || cidKeyText(pin.cid) <= last) continue
      found.push(pin.cid)
      if (found.length >= heldMax) break
    }
    return found
  }

  /** @throws what concerns all pins, and not this one alone */
  async function repin (cid: CID, situation: Situation, round: number, options: AbortOptions): Promise<Outcome> {
    const entry = await state.get(cid)
    if (entry === undefined || !isMisplaced(entry.pin, situation)) return { is: 'well' }
    const { pin, revision } = entry
    const isOurs = round >= anybodyFromRound || closestPeer(cid, consensus.writers().filter(peer => !situation.gone.has(peer))) === self
    if (!isOurs) return { is: 'left', cause: undefined }
    try {
      const allocations = await nextAllocations(pin, situation, { placer, status }, options)
      if (allocations === undefined) return { is: 'waiting' }
      await consensus.log([{ kind: 'pin', pin: { ...pin, allocations }, ifRevision: revision }], options)
      return { is: 'repinned' }
    } catch (cause) {
      options.signal.throwIfAborted()
      if (cause instanceof ClusterError && concernsAll.includes(cause.code)) throw cause
      return { is: 'left', cause }
    }
  }

  async function repinAll (round: number, options: AbortOptions): Promise<Repinned> {
    const outcomes = { repinned: 0, waiting: 0, left: 0, well: 0 }
    let lastCause: unknown
    let last = ''
    for (let found = await misplacedAfter(last, options); found.length > 0; found = await misplacedAfter(last, options)) {
      for (let begin = 0; begin < found.length; begin += atOnceMax) {
        const situation = look()
        const settled = await Promise.allSettled(found.slice(begin, begin + atOnceMax).map(async cid => await repin(cid, situation, round, options)))
        const batch = settled.map(result => {
          if (result.status === 'rejected') throw result.reason
          return result.value
        })
        for (const outcome of batch) {
          outcomes[outcome.is]++
          if (outcome.is === 'left') lastCause = outcome.cause ?? lastCause
        }
        await (batch.some(({ is }) => is === 'repinned') ? pause(clock, restMs, options.signal) : setImmediate(undefined, options))
      }
      last = cidKeyText(found.at(-1)!)
    }
    const { repinned, waiting, left } = outcomes
    if (lastCause !== undefined) log.warn('some pins could not be given to other peers, tried again later', { repinned, waiting, left, err: lastCause })
    else if (repinned > 0) log.info('pins were given to other peers', { repinned, waiting, left })
    return { repinned, waiting, left }
  }

  return repinAll
}
