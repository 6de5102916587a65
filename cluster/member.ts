import type { PeerId } from './api/pin.ts'
import { createBackground } from './async/background.ts'
import { pause } from './async/pause.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import type { Membership } from './peer-ports.ts'
import type { AbortOptions, Component, Consensus } from './ports.ts'

/** How long leaving may take: a peer that is stopped does not wait for ever for the others. */
const leaveTimeoutMs = 10_000
/** Between two looks whether this peer is reached elsewhere than the others know, and two tries to tell them. The machine itself tells nobody that it has another address. */
const lookEveryMs = 5_000

export interface MemberComponents {
  readonly self: PeerId
  readonly consensus: Pick<Consensus, 'peerset'>
  readonly membership: Pick<Membership, 'members' | 'readdress' | 'remove' | 'watch'>
  /** Stays connected with the peers it is told. */
  readonly bootstrap: { keep (peers: readonly PeerId[]): void }
  /** Where this peer is reached now. */
  readonly addresses: () => readonly string[]
  readonly learn: (peer: PeerId, addresses: readonly string[]) => void
  readonly clock: Clock
  readonly log: Logger
}

/**
 * This peer as a member: stays connected with all others, whose addresses travel with the membership; tells them when it is reached
 * elsewhere than before; and leaves when it is stopped, if that is wished.
 */
export function createMember ({ self, consensus, membership, bootstrap, addresses, learn, clock, log }: MemberComponents, { leaves }: { readonly leaves: boolean }): Component {
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('telling the others where this peer is reached ended', { err }) })
  let watch: Disposable | undefined

  function useMembers (): void {
    const members = membership.members()
    for (const member of members) learn(member.peer, member.addresses)
    bootstrap.keep(members.map(({ peer }) => peer))
  }

  /** Of a machine without a network there is nothing to tell. */
  function isKnown (now: readonly string[]): boolean {
    return now.length === 0 || membership.members().every(({ peer, addresses: known }) => peer !== self || isSame(known, now))
  }

  /** Addresses are agreed on, so that those who were away hear of them as well. Whoever leads may be gone just then: it is tried until it is done. */
  async function tellAddresses ({ signal }: AbortOptions): Promise<void> {
    while (true) {
      const now = addresses()
      try {
        if (!isKnown(now)) await membership.readdress(now, { signal })
      } catch (err) {
        signal.throwIfAborted()
        log.warn('the others were not told where this peer is reached now; it is tried again', { err })
      }
      await pause(clock, lookEveryMs, signal)
    }
  }

  async function leave (): Promise<void> {
    if (!leaves || consensus.peerset().length <= 1) return
    try {
      await membership.remove(self, { signal: AbortSignal.timeout(leaveTimeoutMs) })
      log.info('left the cluster')
    } catch (err) {
      log.error('this peer could not leave the cluster; remove it there with: ipfs-cluster-ctl peers rm', { peer: self, err })
    }
  }

  return {
    name: 'member',
    async start ({ signal }) {
      signal.throwIfAborted()
      watch = membership.watch(useMembers)
      background.run(tellAddresses(closing))
    },
    async [Symbol.asyncDispose] () {
      if (watch === undefined) return
      watch[Symbol.dispose]()
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
      await leave()
    }
  }
}

const isSame = (known: readonly string[], now: readonly string[]): boolean => [...known].sort().join(' ') === [...now].sort().join(' ')
