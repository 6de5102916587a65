import type { ClusterId } from '../api/peer.ts'
import type { PeerId } from '../api/pin.ts'
import type { Clock } from '../clock.ts'
import type { ClusterApi } from '../ports.ts'

const freshMs = 30_000
const waitMs = 1_000

export interface PeerDetail { readonly peername: string, readonly ipfsId: string, readonly ipfsAddresses: readonly string[] }
/** What a pin's status says about a peer besides the pin. Unknown peers answer with empty texts. */
export type PeerDetails = (peer: PeerId) => PeerDetail

const unknown: PeerDetail = { peername: '', ipfsId: '', ipfsAddresses: [] }

/**
 * Names and daemons of the peers, remembered, so that a listing of a million pins asks each peer once. Only who asks first waits for them, and not for long;
 * after that they are looked up anew beside, and no answer is held up: what was known before is told.
 */
export function createPeerDirectory ({ cluster, clock }: { readonly cluster: Pick<ClusterApi, 'peers'>, readonly clock: Clock }): { details (): Promise<PeerDetails> } {
  const known = new Map<PeerId, PeerDetail>()
  let askedMs = -Infinity
  let asking: Promise<void> | undefined

  const ask = async (): Promise<void> => {
    try {
      for await (const id of cluster.peers({ signal: AbortSignal.timeout(freshMs) })) known.set(id.id, detailOf(id, known.get(id.id)))
      askedMs = clock.now()
    } catch {
      // Whoever was not heard is told as before; the next request asks again.
    } finally {
      asking = undefined
    }
  }

  return {
    async details () {
      if (clock.now() - askedMs > freshMs) asking ??= ask()
      if (askedMs === -Infinity && asking !== undefined) {
        const { promise: late, resolve } = Promise.withResolvers<void>()
        using _timer = clock.after(waitMs, resolve)
        await Promise.race([asking, late])
      }
      return peer => known.get(peer) ?? unknown
    }
  }
}

function detailOf ({ peername, ipfs }: ClusterId, before: PeerDetail = unknown): PeerDetail {
  return ipfs.id === '' ? { ...before, peername: peername || before.peername } : { peername, ipfsId: ipfs.id, ipfsAddresses: ipfs.addresses }
}
