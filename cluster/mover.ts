import { ClusterError } from './api/errors.ts'
import type { ErrorCode } from './api/errors.ts'
import type { PeerId, Pin } from './api/pin.ts'
import { deadline } from './async/deadline.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import type { Move } from './peer-ports.ts'
import type { AbortOptions, ClusterApi, Consensus, PinsetEntry } from './ports.ts'

const pollMs = 1_000
/** The daemon gives up what stands still long before; this is for what goes on for ever. */
const copyTimeoutMs = 6 * 60 * 60_000
const putBackTimeoutMs = 10_000
/** While a leader is being elected it is tried again. */
const triesMax = 10
const againMs = 2_000

/** What every other move would fail of too. */
const concernsAll: readonly ErrorCode[] = ['ERR_NO_LEADER', 'ERR_STORAGE']

export interface MoverComponents {
  readonly consensus: Pick<Consensus, 'state' | 'log'>
  readonly status: ClusterApi['status']
  readonly clock: Clock
  readonly log: Logger
}

/** Moves one copy of a pin: first one more peer is to hold it, and once that one and `min` in all do, the other is let off. Each step is guarded by the revision it was decided on. */
export interface Mover {
  /** @returns what became of it: when it is left, all is as before. @throws the signal's reason, and what every other move would fail of too */
  move (move: Move, entry: PinsetEntry, options: AbortOptions): Promise<Move>
}

export function createMover ({ consensus, status, clock, log }: MoverComponents): Mover {
  /** @returns the new revision @throws ClusterError ERR_OUTDATED when somebody else was quicker */
  async function agree (pin: Pin, ifRevision: bigint, { signal }: AbortOptions): Promise<bigint> {
    for (let tries = 1; ; tries++) {
      try {
        return await consensus.log([{ kind: 'pin', pin, ifRevision }], { signal })
      } catch (err) {
        const code = err instanceof ClusterError ? err.code : undefined
        if (signal.aborted || tries >= triesMax || (code !== 'ERR_NO_LEADER' && code !== 'ERR_UNKNOWN_OUTCOME')) throw err
        await pause(clock, againMs, signal)
        const now = await consensus.state.get(pin.cid)
        if (now !== undefined && now.revision !== ifRevision && now.pin.allocations.join() === pin.allocations.join()) return now.revision // it had been agreed on
      }
    }
  }

  /** @throws Error when the peer cannot copy it, or fewer than `min` of those that stay hold it */
  async function copied ({ cid, replication }: Pin, to: PeerId, staying: readonly PeerId[], { signal }: AbortOptions): Promise<void> {
    using limit = deadline(clock, copyTimeoutMs, 'copying a pin', signal)
    const min = replication === 'everywhere' ? 0 : replication.min
    while (true) {
      const { peers } = await status(cid, limit)
      const { status: there, error } = peers.find(({ peer }) => peer === to) ?? { status: undefined, error: '' }
      const held = staying.filter(peer => peers.some(info => info.peer === peer && info.status === 'pinned')).length
      if (there === 'pinned' && held >= min) return
      if (there === 'pinned') throw new Error(`only ${held} of those that would stay hold it, ${min} are needed`)
      if (there === 'pin_error') throw new Error(`${to} cannot copy it: ${error}`)
      await pause(clock, pollMs, limit.signal)
    }
  }

  async function putBack (pin: Pin, revision: bigint): Promise<void> {
    using limit = deadline(clock, putBackTimeoutMs, 'putting back a pin', new AbortController().signal)
    try {
      await consensus.log([{ kind: 'pin', pin, ifRevision: revision }], limit)
    } catch (err) {
      if (err instanceof ClusterError && err.code === 'ERR_OUTDATED') return // somebody changed it meanwhile: theirs stands
      log.warn('a pin that was to be moved names one peer more than it should; that is seen to later', { cid: pin.cid.toString(), err })
    }
  }

  return {
    async move (move, { pin, revision }, options) {
      const staying = [...pin.allocations.filter(peer => peer !== move.from), move.to]
      let told: bigint | undefined
      try {
        told = await agree({ ...pin, allocations: [...pin.allocations, move.to] }, revision, options)
        await copied(pin, move.to, staying, options)
        await agree({ ...pin, allocations: staying }, told, options)
        return { ...move, state: 'moved' }
      } catch (err) {
        if (told !== undefined) await putBack(pin, told)
        options.signal.throwIfAborted()
        if (err instanceof ClusterError && concernsAll.includes(err.code)) throw err
        return { ...move, state: 'left', detail: err instanceof ClusterError && err.code === 'ERR_OUTDATED' ? 'somebody else changed it meanwhile' : (err as Error).message }
      }
    }
  }
}
