/** One wanted block: whom it has been asked of, who has been told of it, and who comes next. */
import type { CID } from 'multiformats/cid'
import type { Clock } from '../../cluster/clock.ts'
import type { Deliver } from '../dag/block-service.ts'
import type { Asked, AskablePeers } from './askable-peers.ts'
import type { WantEntry } from './bitswap-message.ts'

export type Tell = (peer: string, entry: WantEntry) => void

export interface Want {
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

export interface Asking {
  create (cid: CID, deliver: Deliver): Want
  /** Asks somebody for the block itself. Whether there was somebody to ask. */
  ask (want: Want): boolean
  /** Asks those who do not know of it yet whether they have it. */
  tellOthers (want: Want): void
  /** One of the two. */
  pursue (want: Want): void
  passOver (want: Want, peer: string): void
  release (want: Want): void
  /** As if nobody had been told of it. */
  startAnew (want: Want): void
  /** Tells who knows of it that it is not wanted any more. */
  takeBack (want: Want): void
}

export function createAsking (peers: AskablePeers, clock: Clock, tell: Tell): Asking {
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

  return {
    create: (cid, deliver) => ({ cid, deliver, told: new Set(), holders: new Set(), passedOver: new Set(), asked: undefined, saidAtMs: clock.now(), isArriving: false }),
    ask,
    tellOthers,
    pursue,
    release,
    passOver (want, peer) {
      want.passedOver.add(peer)
      if (want.asked?.peer === peer) pursue(want)
    },
    startAnew (want) {
      want.saidAtMs = clock.now()
      want.passedOver.clear()
      want.told.clear()
      release(want)
      pursue(want)
    },
    takeBack (want) {
      for (const peer of want.told) tell(peer, { cid: want.cid, kind: 'block', isCancel: true, sendDontHave: false })
      release(want)
    }
  }
}
