import type { PeerId } from '../api/pin.ts'
import { createBackground } from '../async/background.ts'
import type { Clock } from '../clock.ts'
import type { TrustedPeers } from '../peer-ports.ts'
import type { AbortOptions } from '../ports.ts'
import type { Bookkeeping } from './raft/applier.ts'
import { mayWrite } from './raft/members.ts'
import type { Standing } from './raft/standing.ts'

/** So often at most others are asked whether somebody may write by now: whoever may not could go on claiming it. */
const askEveryMs = 2_000

export interface TrustComponents {
  readonly self: PeerId
  /** What the log says so far, as it was carried out here. */
  readonly book: () => Bookkeeping
  /** What the log of another peer says. */
  readonly ask: (peer: PeerId, options: AbortOptions) => Promise<TrustedPeers>
  readonly clock: Clock
}

/**
 * Who may write and who only stores. The log says it; but a peer that is behind with it, or is only being taken in, may be spoken to by a leader of which
 * it has not read yet that it may lead. So it goes by what a peer told it that it does believe, for as long as that is newer than what it has read.
 */
export interface Trust extends Standing, AsyncDisposable {
  /** Counts if it is newer than all that is known here. To be told by who may be believed: whom this peer was sent to, or one that may write. */
  believe (told: TrustedPeers): void
  /** What the log says here, for others to believe. */
  told (): TrustedPeers
}

export function createTrust ({ self, book, ask, clock }: TrustComponents): Trust {
  const closing = new AbortController()
  const background = createBackground(() => {})
  let believed: TrustedPeers | undefined
  let isAsking = false
  let askedMs = -Infinity

  function told (): TrustedPeers {
    const { members, conf, trusted, confIndex: asOf } = book()
    if (trusted === undefined) return { everyone: true, peers: [], asOf }
    const voters = members.filter(({ id }) => conf.voters.includes(id)).map(({ name }) => name)
    return { everyone: false, peers: [...new Set([...trusted, ...voters])] as PeerId[], asOf }
  }

  function isTrusted (name: string): boolean {
    const own = book()
    if (believed !== undefined && believed.asOf > own.confIndex) return believed.everyone || believed.peers.includes(name as PeerId)
    return own.members.length > 0 && mayWrite(name, own) // nobody, before the first of those that are asked has said whom
  }

  function believe (news: TrustedPeers): void {
    if (news.asOf > Math.max(book().confIndex, believed?.asOf ?? 0)) believed = news
  }

  async function findOut (name: string): Promise<void> {
    const newest = believed !== undefined && believed.asOf > book().confIndex ? believed : told()
    for (const peer of newest.peers) {
      if (peer === self || peer === name || closing.signal.aborted) continue
      const answer = await ask(peer, closing).catch(() => undefined) // another one may be there
      if (answer !== undefined) believe(answer)
      if (isTrusted(name)) return
    }
  }

  return {
    mayWrite: isTrusted,
    believe,
    told,
    doubt (name) {
      if (isAsking || clock.now() - askedMs < askEveryMs || closing.signal.aborted) return
      isAsking = true
      askedMs = clock.now()
      background.run(findOut(name).finally(() => { isAsking = false }))
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}
