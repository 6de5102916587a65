import { covers } from './log-image.ts'
import { require } from './violation.ts'
import type { ConfState, Index, NodeId, Status, Term } from '../core/types.ts'
import type { LogImage } from './log-image.ts'
import type { Settings } from './settings.ts'

/** What the specification must know of the group to judge what a leader believes. */
export interface Surroundings {
  readonly durable: (id: NodeId) => Readonly<LogImage>
  readonly termOf: (index: Index) => Term | undefined
}

/**
 * A leader's beliefs about its followers: what it believes they hold they do hold, it never goes back on that, and
 * nothing it keeps grows past its bound. Only for the newest leader: what peers acknowledged to an older one may have been
 * replaced. A changed membership starts it anew.
 */
export class LeaderClaims {
  readonly #settings: Settings
  readonly #matches = new Map<NodeId, Index>()
  #conf: ConfState | undefined

  constructor (settings: Settings) {
    this.#settings = settings
  }

  check (status: Status, conf: ConfState, { durable, termOf }: Surroundings): void {
    if (this.#conf !== conf) this.#matches.clear()
    this.#conf = conf
    const { id, lastIndex, uncommittedBytes, progress } = status
    const { uncommittedBytesMax, payloadMost, inflightMessagesMax } = this.#settings
    const uncommittedMost = Math.max(uncommittedBytesMax, payloadMost + 5 + confChangeBytesMost)
    require(uncommittedBytes <= uncommittedMost, 'bounds', () => `leader ${id} has ${uncommittedBytes} bytes uncommitted`)

    for (const { id: peer, match, next, inflightMessages, learner } of progress) {
      const before = this.#matches.get(peer) ?? 0
      require(match >= before, 'flow', () => `leader ${id} believed peer ${peer} to hold ${before}, and now ${match}`)
      require(match < next && match <= lastIndex, 'flow', () => `leader ${id} has match ${match} and next ${next} for peer ${peer}, its log ending at ${lastIndex}`)
      require(inflightMessages <= inflightMessagesMax, 'bounds', () => `leader ${id} has ${inflightMessages} appends on their way to ${peer}`)
      require(learner === conf.learners.includes(peer), 'membership', () => `leader ${id} takes peer ${peer} for ${learner ? 'a learner' : 'a voter'}`)
      this.#matches.set(peer, match)

      const term = termOf(match)
      if (term === undefined || match === 0) continue
      require(covers(durable(peer), match, term), 'flow', () => `leader ${id} believes peer ${peer} to hold ${match} of term ${term}; its disk does not`)
    }
  }
}

const confChangeBytesMost = 64
