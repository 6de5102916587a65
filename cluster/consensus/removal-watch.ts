import { ClusterError } from '../api/errors.ts'
import type { Clock } from '../clock.ts'
import type { Engine } from './engine.ts'
import { refusalText } from './raft/handshake.ts'

/** Between two looks. */
const lookMs = 1_000

/** What is said of a folder that is not, or not all of, what the membership means: with it this peer can only do harm. */
const unfitTexts: readonly string[] = [refusalText['older-copy'], refusalText['second-process'], refusalText['lost-log'], refusalText['other-incarnation']]

export interface RemovalWatchComponents {
  readonly clock: Clock
  readonly removed: () => void
  /** This peer's folder is a copy, or has lost what it had. */
  readonly unfit: (reason: ClusterError) => void
}

export interface RemovalWatch extends Disposable {
  watch (engine: Engine): void
  /** This peer is a member by now: one that is removed again before the next look was one all the same. */
  joined (): void
}

/** Finds out that this peer was removed, or must not take part: by its own log, or by what the others answer it. */
export function createRemovalWatch ({ clock, removed, unfit }: RemovalWatchComponents): RemovalWatch {
  let timer: Disposable | undefined
  let isOver = false
  let wasMember = false

  function look (engine: Engine): void {
    const { node, transport, identity } = engine
    if (isOver) return
    const { conf } = node.bookkeeping()
    const isMember = [...conf.voters, ...conf.learners, ...conf.votersOutgoing].includes(identity.nodeId)
    const refusals = transport.status().map(({ refused }) => refused)
    const unfitText = refusals.find(refused => refused !== undefined && unfitTexts.includes(refused))
    if (unfitText !== undefined) {
      isOver = true
      return unfit(new ClusterError('ERR_STORAGE', `another member refuses this peer: ${unfitText}`))
    }
    if (refusals.includes(refusalText.removed) || (wasMember && !isMember)) {
      isOver = true
      return removed()
    }
    wasMember ||= isMember
    timer = clock.after(lookMs, () => { look(engine) })
  }

  return {
    watch (engine) { timer = clock.after(lookMs, () => { look(engine) }) },
    joined () { wasMember = true },
    [Symbol.dispose] () {
      isOver = true
      timer?.[Symbol.dispose]()
    }
  }
}
