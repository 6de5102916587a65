/** Which blocks this daemon wants, and whom it asks for them. Knows no wire: what is to be said goes out through `tell`. */
import type { CID } from 'multiformats/cid'
import type { Clock } from '../../cluster/clock.ts'
import { multihashKey } from '../dag/block-service.ts'
import type { Deliver } from '../dag/block-service.ts'
import { createAskablePeers } from './askable-peers.ts'
import type { Asked } from './askable-peers.ts'
import type { WantEntry } from './bitswap-message.ts'

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

interface Want {
  readonly cid: CID
  readonly deliver: Deliver
  /** Who knows of it and must be told when it is wanted no more. */
  readonly told: Set<string>
  readonly holders: Set<string>
  /** Who said that it lacks the block, or did not send it in time. */
  readonly passedOver: Set<string>
  asked: Asked | undefined
  /** When all that was said of it was last said anew. */
  saidAtMs: number
  isArriving: boolean
}

export function createWants ({ clock, tell }: { clock: Clock, tell: (peer: string, entry: WantEntry) => void }): Wants {
  const active = new Map<string, Want>()
  const queued = new Map<string, { readonly cid: CID, readonly deliver: Deliver }>()
  const recent = createRecent()
  const peers = createAskablePeers(clock)
  let timer: Disposable | undefined

  const release = (want: Want): void => {
    if (want.asked !== undefined) peers.settle(want.asked)
    want.asked = undefined
  }
  const ask = (want: Want): boolean => {
    const asked = peers.ask(want.holders, want.passedOver)
    if (asked === undefined) return false
    release(want)
    want.asked = asked
    want.told.add(asked.peer)
    tell(asked.peer, { cid: want.cid, kind: 'block', isCancel: false, sendDontHave: true })
    return true
  }
  const tellOthers = (want: Want): void => {
    for (const peer of peers.names()) {
      if (want.told.has(peer)) continue
      want.told.add(peer)
      tell(peer, { cid: want.cid, kind: 'have', isCancel: false, sendDontHave: true })
    }
  }
  const pursue = (want: Want): void => { if (!ask(want)) tellOthers(want) }
  const passOver = (want: Want, peer: string): void => {
    want.passedOver.add(peer)
    if (want.asked?.peer === peer) pursue(want)
  }
  /** Somebody owes a block less: it can be asked for one that waits. */
  const useRoom = (): void => {
    for (const want of active.values()) if (want.asked === undefined && !want.isArriving && ask(want)) return
  }
  const activate = (key: string, cid: CID, deliver: Deliver): void => {
    const want: Want = { cid, deliver, told: new Set(), holders: new Set(), passedOver: new Set(), asked: undefined, saidAtMs: clock.now(), isArriving: false }
    active.set(key, want)
    pursue(want)
    timer ??= clock.after(sweepEveryMs, sweep)
  }
  const sweep = (): void => {
    timer = active.size === 0 ? undefined : clock.after(sweepEveryMs, sweep)
    for (const want of active.values()) {
      const isOverdue = want.asked !== undefined && peers.isOverdue(want.asked)
      if (want.isArriving || (want.asked !== undefined && !isOverdue)) continue
      if (clock.now() - want.saidAtMs >= tellAgainMs) {
        want.saidAtMs = clock.now()
        want.passedOver.clear()
        want.told.clear()
        release(want)
        pursue(want)
      } else if (want.asked !== undefined) {
        passOver(want, want.asked.peer)
      }
    }
  }
  const startNext = (): void => {
    const next = queued.entries().next().value
    if (next === undefined) return
    queued.delete(next[0])
    activate(next[0], next[1].cid, next[1].deliver)
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
      for (const peer of want.told) tell(peer, { cid, kind: 'block', isCancel: true, sendDontHave: false })
      release(want)
      useRoom()
      startNext()
    },
    cameTo (peer) {
      if (!peers.add(peer)) return
      for (const want of active.values()) {
        if (want.isArriving) continue
        if (want.asked === undefined) pursue(want)
        else if (want.passedOver.has(want.asked.peer)) tellOthers(want)
      }
    },
    wentAway (peer) {
      peers.remove(peer)
      for (const want of active.values()) {
        for (const set of [want.told, want.holders, want.passedOver]) set.delete(peer)
        if (want.asked?.peer !== peer) continue
        want.asked = undefined
        if (!want.isArriving) pursue(want)
      }
    },
    answered (peer, cid, has) {
      const want = active.get(multihashKey(cid))
      if (want === undefined || want.isArriving || !peers.has(peer)) return
      if (has) {
        want.holders.add(peer)
        if (want.asked?.peer !== peer) want.passedOver.delete(peer)
        if (want.asked === undefined || want.passedOver.has(want.asked.peer)) ask(want)
      } else {
        want.holders.delete(peer)
        const wasAsked = want.asked?.peer === peer
        passOver(want, peer)
        if (want.asked?.peer === peer) release(want)
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
      for (const other of active.values()) if (other.asked?.peer === peer && !other.isArriving) passOver(other, peer)
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
