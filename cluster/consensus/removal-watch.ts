import type { Clock } from '../clock.ts'
import type { Engine } from './engine.ts'
import { refusalText } from './raft/handshake.ts'

/** Between two looks. */
const lookMs = 1_000

/** Finds out that this peer was removed: by its own log, or, when it was away then, by what the others answer it. */
export function createRemovalWatch ({ clock, removed }: { readonly clock: Clock, readonly removed: () => void }): { watch (engine: Engine): void } & Disposable {
  let timer: Disposable | undefined
  let isOver = false

  function look ({ node, transport, identity }: Engine, wasMember: boolean): void {
    if (isOver) return
    const { conf } = node.bookkeeping()
    const isMember = [...conf.voters, ...conf.learners, ...conf.votersOutgoing].includes(identity.nodeId)
    const isRefused = transport.status().some(({ refused }) => refused === refusalText.removed)
    if (isRefused || (wasMember && !isMember)) {
      isOver = true
      return removed()
    }
    timer = clock.after(lookMs, () => { look({ node, transport, identity }, wasMember || isMember) })
  }

  return {
    watch (engine) { timer = clock.after(lookMs, () => { look(engine, false) }) },
    [Symbol.dispose] () {
      isOver = true
      timer?.[Symbol.dispose]()
    }
  }
}
