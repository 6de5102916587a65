import type { Clock } from '../../cluster/clock.ts'

/** Blocks that one peer may be asked for at a time, which bounds what may arrive unread. */
const owedMax = 32
/** A peer that has given nothing for so long is not asked alone any longer. */
const patienceMs = 10_000
/** Nor is one that has given so many other blocks instead. */
const passedByMax = 2 * owedMax

/** When a peer was asked for a block, and how many it had given by then. */
export interface Asked { readonly peer: string, readonly atMs: number, readonly givenBefore: number }

/** The peers that can be asked for blocks, and what each of them owes. */
export interface AskablePeers {
  add (peer: string): boolean
  remove (peer: string): void
  has (peer: string): boolean
  names (): Iterable<string>
  /** Asks the likeliest to have it that may be asked for more; of those the one that owes least. */
  ask (holders: ReadonlySet<string>, passedOver: ReadonlySet<string>): Asked | undefined
  /** What it was asked for has come, or is not waited for any more. */
  settle (asked: Asked): void
  gave (peer: string): void
  /** It is not thought likely any more to have what others want. */
  distrust (peer: string): void
  isOverdue (asked: Asked): boolean
}

interface Peer {
  owes: number
  /** It has sent what it was asked for: likely to have more. */
  isGiving: boolean
  given: number
  gaveAtMs: number
}

export function createAskablePeers (clock: Clock): AskablePeers {
  const peers = new Map<string, Peer>()
  const likelihood = (peer: string, { isGiving }: Peer, holders: ReadonlySet<string>): number => holders.has(peer) ? 2 : isGiving || peers.size === 1 ? 1 : 0

  return {
    add (peer) {
      if (peers.has(peer)) return false
      peers.set(peer, { owes: 0, isGiving: false, given: 0, gaveAtMs: clock.now() })
      return true
    },
    remove (peer) { peers.delete(peer) },
    has: peer => peers.has(peer),
    names: () => peers.keys(),
    ask (holders, passedOver) {
      let best: { readonly name: string, readonly peer: Peer, readonly likely: number } | undefined
      for (const [name, peer] of peers) {
        if (passedOver.has(name) || peer.owes >= owedMax) continue
        const likely = likelihood(name, peer, holders)
        if (likely > 0 && (best === undefined || likely > best.likely || (likely === best.likely && peer.owes < best.peer.owes))) best = { name, peer, likely }
      }
      if (best === undefined) return undefined
      best.peer.owes++
      return { peer: best.name, atMs: clock.now(), givenBefore: best.peer.given }
    },
    settle ({ peer }) {
      const found = peers.get(peer)
      if (found !== undefined && found.owes > 0) found.owes--
    },
    gave (peer) {
      const found = peers.get(peer)
      if (found === undefined) return
      found.isGiving = true
      found.given++
      found.gaveAtMs = clock.now()
    },
    distrust (peer) {
      const found = peers.get(peer)
      if (found !== undefined) found.isGiving = false
    },
    isOverdue ({ peer, atMs, givenBefore }) {
      const found = peers.get(peer)
      if (found === undefined) return false
      const lastMs = found.given - givenBefore < passedByMax ? Math.max(atMs, found.gaveAtMs) : atMs
      return clock.now() - lastMs >= patienceMs
    }
  }
}
