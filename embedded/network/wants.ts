/** Which blocks this daemon wants. Knows no wire: what is to be said goes out through `tell`. */
import type { CID } from 'multiformats/cid'
import type { Clock } from '../../cluster/clock.ts'
import { multihashKey } from '../dag/block-service.ts'
import type { Deliver } from '../dag/block-service.ts'
import { createAskablePeers } from './askable-peers.ts'
import { createAsking } from './asking.ts'
import type { Tell, Want } from './asking.ts'

/** What peers keep of a want list: Kubo's limit. Further wants wait here for their turn. */
const activeMax = 1024
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

export function createWants ({ clock, tell }: { clock: Clock, tell: Tell }): Wants {
  const peers = createAskablePeers(clock)
  const asking = createAsking(peers, clock, tell)
  const active = new Map<string, Want>()
  const queued = new Map<string, { readonly cid: CID, readonly deliver: Deliver }>()
  const recent = createRecent()
  let timer: Disposable | undefined

  /** Those whose block is not on its way into the store. */
  const waiting = function * (): Generator<Want> { for (const want of active.values()) if (!want.isArriving) yield want }
  /** Somebody owes a block less: it can be asked for one that waits. */
  const useRoom = (): void => {
    for (const want of waiting()) if (want.asked === undefined && asking.ask(want)) return
  }
  const activate = (key: string, cid: CID, deliver: Deliver): void => {
    const want = asking.create(cid, deliver)
    active.set(key, want)
    asking.pursue(want)
    timer ??= clock.after(sweepEveryMs, sweep)
  }
  const startNext = (): void => {
    const next = queued.entries().next().value
    if (next === undefined) return
    queued.delete(next[0])
    activate(next[0], next[1].cid, next[1].deliver)
  }
  const sweep = (): void => {
    timer = active.size === 0 ? undefined : clock.after(sweepEveryMs, sweep)
    for (const want of waiting()) {
      if (want.asked !== undefined && !peers.isOverdue(want.asked)) continue
      if (clock.now() - want.saidAtMs >= tellAgainMs) asking.startAnew(want)
      else if (want.asked !== undefined) asking.passOver(want, want.asked.peer)
    }
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
      recent.add(key)
      asking.takeBack(want)
      useRoom()
      startNext()
    },
    cameTo (peer) {
      if (!peers.add(peer)) return
      for (const want of waiting()) {
        if (want.asked === undefined) asking.pursue(want)
        else if (want.passedOver.has(want.asked.peer)) asking.tellOthers(want)
      }
    },
    wentAway (peer) {
      peers.remove(peer)
      for (const want of active.values()) {
        for (const set of [want.told, want.holders, want.passedOver]) set.delete(peer)
        if (want.asked?.peer !== peer) continue
        want.asked = undefined
        if (!want.isArriving) asking.pursue(want)
      }
    },
    answered (peer, cid, has) {
      const want = active.get(multihashKey(cid))
      if (want === undefined || want.isArriving || !peers.has(peer)) return
      if (has) {
        want.holders.add(peer)
        if (want.asked?.peer !== peer) want.passedOver.delete(peer)
        if (want.asked === undefined || want.passedOver.has(want.asked.peer)) asking.ask(want)
      } else {
        want.holders.delete(peer)
        const wasAsked = want.asked?.peer === peer
        asking.passOver(want, peer)
        if (want.asked?.peer === peer) asking.release(want)
        if (wasAsked) useRoom()
      }
    },
    arrived (peer, key) {
      const want = active.get(key)
      if (want !== undefined && !want.isArriving) {
        peers.gave(peer)
        want.isArriving = true
        want.told.delete(peer)
        return want.deliver
      }
      if (want !== undefined || recent.has(key)) return 'late'
      peers.distrust(peer)
      for (const other of waiting()) if (other.asked?.peer === peer) asking.passOver(other, peer)
      return 'wrong'
    },
    list: () => [...active.values(), ...queued.values()].map(({ cid }) => cid),
    [Symbol.dispose] () { timer?.[Symbol.dispose]() }
  }
}

/** The last keys that were added, as many as `recentMax`. */
function createRecent (): { readonly add: (key: string) => void, readonly has: (key: string) => boolean } {
  const keys = new Set<string>()
  return {
    add (key) {
      keys.add(key)
      if (keys.size > recentMax) keys.delete(keys.values().next().value!)
    },
    has: key => keys.has(key)
  }
}
