/** Which blocks this daemon wants, and whom it asks for them. Knows no wire: what is to be said goes out through `tell`. */
import type { CID } from 'multiformats/cid'
import type { Clock } from '../../cluster/clock.ts'
import { multihashKey } from '../dag/block-service.ts'
import type { Deliver } from '../dag/block-service.ts'
import type { WantEntry } from './bitswap-message.ts'

/** What peers keep of a want list: Kubo's limit. Further wants wait here for their turn. */
const activeMax = 1024
/** Blocks that one peer may be asked for at a time, which bounds what may arrive unread. */
const owedMax = 32
/** A peer that has given nothing for so long is not asked alone any longer. */
const patienceMs = 10_000
/** Nor is one that has given so many other blocks instead. */
const passedByMax = 2 * owedMax
/** A want is told anew, lest a lost message leave it waiting for ever. */
const tellAgainMs = 60_000
const sweepEveryMs = 5_000
/** Blocks that came or were given up a moment ago: what still arrives of them is late, not wrong. */
const recentMax = 4096

export interface Wants extends Disposable {
  add (cid: CID, deliver: Deliver): void
  remove (cid: CID): void
  cameTo (peer: string): void
  wentAway (peer: string): void
  /** A peer has said whether it has a block. */
  answered (peer: string, cid: CID, has: boolean): void
  /** A block has come whose multihash has this key. `late` is one that was wanted a moment ago; `wrong` one that never was. */
  arrived (peer: string, key: string): Deliver | 'late' | 'wrong'
  list (): readonly CID[]
}

interface Want {
  readonly cid: CID
  readonly deliver: Deliver
  /** Who knows of it and must be told when it is wanted no more. */
  readonly told: Set<string>
  readonly holders: Set<string>
  /** Who said that it lacks the block, or did not send it in time. */
  readonly passedOver: Set<string>
  askedOf: string | undefined
  askedAtMs: number
  /** How many blocks the peer had given by then. */
  givenBefore: number
  /** When all that was said of it was last said anew. */
  saidAtMs: number
  isArriving: boolean
}

interface Peer {
  owes: number
  /** It has sent what it was asked for: likely to have more. */
  isGiving: boolean
  given: number
  gaveAtMs: number
}

export function createWants ({ clock, tell }: { clock: Clock, tell: (peer: string, entry: WantEntry) => void }): Wants {
  const active = new Map<string, Want>()
  const queued = new Map<string, { readonly cid: CID, readonly deliver: Deliver }>()
  const recent = new Set<string>()
  const peers = new Map<string, Peer>()
  let timer: Disposable | undefined

  /** The likeliest, and of those the one that owes least. */
  const choose = ({ holders, passedOver }: Want): string | undefined => {
    let best: { readonly id: string, readonly likely: number, readonly owes: number } | undefined
    for (const [id, { owes, isGiving }] of peers) {
      if (passedOver.has(id) || owes >= owedMax) continue
      const likely = holders.has(id) ? 2 : isGiving || peers.size === 1 ? 1 : 0
      if (likely > 0 && (best === undefined || likely > best.likely || (likely === best.likely && owes < best.owes))) best = { id, likely, owes }
    }
    return best?.id
  }
  const ask = (want: Want): boolean => {
    const id = choose(want)
    if (id === undefined) return false
    release(want)
    want.askedOf = id
    want.askedAtMs = clock.now()
    const peer = peers.get(id)!
    want.givenBefore = peer.given
    peer.owes++
    want.told.add(id)
    tell(id, { cid: want.cid, kind: 'block', isCancel: false, sendDontHave: true })
    return true
  }
  const tellOthers = (want: Want): void => {
    for (const id of peers.keys()) {
      if (want.told.has(id)) continue
      want.told.add(id)
      tell(id, { cid: want.cid, kind: 'have', isCancel: false, sendDontHave: true })
    }
  }
  const pursue = (want: Want): void => {
    if (!ask(want)) tellOthers(want)
  }
  const release = (want: Want): void => {
    const peer = want.askedOf === undefined ? undefined : peers.get(want.askedOf)
    if (peer !== undefined) peer.owes--
    want.askedOf = undefined
  }
  /** Somebody owes a block less: it can be asked for one that waits. */
  const useRoom = (): void => {
    for (const want of active.values()) if (want.askedOf === undefined && !want.isArriving && ask(want)) return
  }
  const activate = (key: string, cid: CID, deliver: Deliver): void => {
    const want: Want = { cid, deliver, told: new Set(), holders: new Set(), passedOver: new Set(), askedOf: undefined, askedAtMs: clock.now(), givenBefore: 0, saidAtMs: clock.now(), isArriving: false }
    active.set(key, want)
    pursue(want)
    timer ??= clock.after(sweepEveryMs, sweep)
  }
  const passOver = (want: Want, peer: string): void => {
    want.passedOver.add(peer)
    if (want.askedOf !== peer || ask(want)) return
    tellOthers(want)
  }
  const isOverdue = ({ askedOf, askedAtMs, givenBefore }: Want): boolean => {
    const peer = askedOf === undefined ? undefined : peers.get(askedOf)
    return peer !== undefined && clock.now() - Math.max(askedAtMs, peer.given - givenBefore < passedByMax ? peer.gaveAtMs : 0) >= patienceMs
  }
  const sweep = (): void => {
    timer = active.size === 0 ? undefined : clock.after(sweepEveryMs, sweep)
    for (const want of active.values()) {
      if (want.isArriving) continue
      if (clock.now() - want.saidAtMs >= tellAgainMs && (want.askedOf === undefined || isOverdue(want))) {
        want.saidAtMs = clock.now()
        want.passedOver.clear()
        want.told.clear()
        release(want)
        pursue(want)
      } else if (isOverdue(want)) {
        want.askedAtMs = clock.now()
        passOver(want, want.askedOf!)
      }
    }
  }
  const remember = (key: string): void => {
    recent.add(key)
    if (recent.size > recentMax) recent.delete(recent.values().next().value!)
  }

  return {
    add (cid, deliver) {
      const key = multihashKey(cid)
      if (active.has(key) || queued.has(key)) return
      if (active.size >= activeMax) queued.set(key, { cid, deliver })
      else activate(key, cid, deliver)
    },
    remove (cid) {
      const key = multihashKey(cid)
      const want = active.get(key)
      if (queued.delete(key) || want === undefined) return
      active.delete(key)
      remember(key)
      for (const id of want.told) tell(id, { cid, kind: 'block', isCancel: true, sendDontHave: false })
      release(want)
      useRoom()
      const next = queued.entries().next().value
      if (next === undefined) return
      queued.delete(next[0])
      activate(next[0], next[1].cid, next[1].deliver)
    },
    cameTo (peer) {
      if (peers.has(peer)) return
      peers.set(peer, { owes: 0, isGiving: false, given: 0, gaveAtMs: clock.now() })
      for (const want of active.values()) {
        if (want.isArriving) continue
        if (want.askedOf === undefined) pursue(want)
        else if (want.passedOver.has(want.askedOf)) tellOthers(want)
      }
    },
    wentAway (peer) {
      peers.delete(peer)
      for (const want of active.values()) {
        for (const set of [want.told, want.holders, want.passedOver]) set.delete(peer)
        if (want.askedOf !== peer) continue
        want.askedOf = undefined
        if (!want.isArriving) pursue(want)
      }
    },
    answered (peer, cid, has) {
      const want = active.get(multihashKey(cid))
      if (want === undefined || want.isArriving || !peers.has(peer)) return
      if (!has) {
        want.holders.delete(peer)
        const wasAsked = want.askedOf === peer
        passOver(want, peer)
        if (wasAsked && want.askedOf === peer) release(want)
        if (wasAsked) useRoom()
        return
      }
      want.holders.add(peer)
      const isSlow = want.askedOf !== undefined && want.askedOf !== peer && want.passedOver.has(want.askedOf)
      if (want.askedOf !== peer) want.passedOver.delete(peer)
      if (want.askedOf === undefined || isSlow) ask(want)
    },
    arrived (peer, key) {
      const want = active.get(key)
      const giver = peers.get(peer)
      if (want === undefined || want.isArriving) {
        if (want !== undefined || recent.has(key)) return 'late'
        if (giver !== undefined) giver.isGiving = false
        for (const other of active.values()) if (other.askedOf === peer && !other.isArriving) passOver(other, peer)
        return 'wrong'
      }
      if (giver !== undefined) {
        giver.isGiving = true
        giver.given++
        giver.gaveAtMs = clock.now()
      }
      want.isArriving = true
      want.told.delete(peer)
      return want.deliver
    },
    list: () => [...active.values(), ...queued.values()].map(({ cid }) => cid),
    [Symbol.dispose] () { timer?.[Symbol.dispose]() }
  }
}
