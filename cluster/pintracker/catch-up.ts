import { CID } from 'multiformats/cid'
import { isAllocatedTo } from '../api/pin.ts'
import type { PeerId, Pin } from '../api/pin.ts'
import { createBackground } from '../async/background.ts'
import type { Logger } from '../log.ts'
import { pinPages } from '../pin-pages.ts'
import type { AbortOptions, PinsetReader } from '../ports.ts'
import type { TrackerIndex } from './tracker-index.ts'

const notesPerPage = 500

/**
 * What came while much waited already: not a queued operation each, which a million at once would be in memory, but found again by walking through what is
 * on the disk. What a restart cuts off is found by the reconciliation at the start.
 */
export interface CatchUp extends AsyncDisposable {
  /** One more was left to it. */
  leave (): void
  isUnderWay (): boolean
  /** About how many are left. */
  length (): number
}

/** Walks once through all that may have been left, and queues it; `queued` is called for each. */
export type Walk = (queued: () => void, options: AbortOptions) => Promise<void>

export function createCatchUp (walk: Walk, { log }: { readonly log: Logger }): CatchUp {
  const closing = new AbortController()
  const background = createBackground(err => { if (!closing.signal.aborted) log.error('what waits cannot be queued', { err }) })
  let left = 0
  let isDue = false
  let isUnderWay = false

  async function untilNoneIsLeft (): Promise<void> {
    try {
      while (isDue) {
        isDue = false
        await walk(() => { left = Math.max(0, left - 1) }, closing)
      }
    } finally {
      isUnderWay = false
      left = 0
    }
  }

  return {
    leave () {
      left++
      isDue = true
      if (isUnderWay || closing.signal.aborted) return
      isUnderWay = true
      background.run(untilNoneIsLeft())
    },
    isUnderWay: () => isUnderWay,
    length: () => left,
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}

export interface WalkComponents {
  readonly state: PinsetReader
  readonly self: PeerId
  /** Resolves when the queues are short enough to add to. */
  readonly room: (options: AbortOptions) => Promise<void>
}

/** Pins of the pinset that are to be held here and of which nothing is known. In pages, as they are by then, so that what comes ahead of the walk is found by it. */
export function walkToPins ({ state, self, room, isKnown, queuePin }: WalkComponents & {
  /** What is being worked on, held, or has failed is looked after elsewhere. */
  readonly isKnown: (cid: CID) => boolean
  readonly queuePin: (pin: Pin) => void
}): Walk {
  const isLeft = (pin: Pin): boolean => isAllocatedTo(pin, self) && !isKnown(pin.cid)
  return async (queued, options) => {
    for await (const page of pinPages(state, options)) {
      for (const { cid } of page.filter(isLeft)) {
        await room(options)
        const entry = await state.get(cid)
        if (entry === undefined || !isLeft(entry.pin)) continue
        queuePin(entry.pin)
        queued()
      }
    }
  }
}

/** What is noted as held here and is to be held here no more. */
export function walkToUnpins ({ state, self, room, index, isBusy, queueUnpin }: WalkComponents & {
  readonly index: Pick<TrackerIndex, 'heldBehind'>
  readonly isBusy: (cid: CID) => boolean
  /** `pin` where others are to hold it. */
  readonly queueUnpin: (cid: CID, pin: Pin | undefined) => void
}): Walk {
  return async (queued, options) => {
    let last: Buffer | undefined
    do {
      const keys = index.heldBehind(last, notesPerPage)
      last = keys.at(-1)
      for (const key of keys) {
        const cid = CID.decode(Uint8Array.from(key))
        const isLeft = async (): Promise<boolean> => {
          const entry = await state.get(cid)
          return !isBusy(cid) && (entry === undefined || !isAllocatedTo(entry.pin, self))
        }
        if (!await isLeft()) continue
        await room(options)
        if (!await isLeft()) continue
        queueUnpin(cid, (await state.get(cid))?.pin)
        queued()
      }
      options.signal.throwIfAborted()
    } while (last !== undefined)
  }
}
