/** The twin of the log files: what is written is "durable" one microtask later, and gone with the process. */
import { LogFigures } from './log-figures.ts'
import { emptyBase, emptyHardState } from './log-replay.ts'
import { LogTail } from './log-tail.ts'
import type { RaftStorage } from './storage.ts'
import type { SnapshotMeta } from './core/types.ts'

export function createMemoryStorage ({ nodeId, clusterId }: { readonly nodeId: number, readonly clusterId?: string }): RaftStorage {
  const tail = new LogTail(emptyBase, Infinity, index => { throw new Error(`entry ${index} is not held`) })
  const figures = new LogFigures(0)
  const nowhere = { segment: 0, at: 0 }
  let identity = { nodeId, incarnation: nodeId, clusterId, boot: 1 }
  let hard = emptyHardState
  let base: SnapshotMeta = emptyBase
  let snapshot: ReturnType<RaftStorage['log']['snapshot']> = 'pending'

  return {
    get identity () { return identity },
    get base () { return base },
    torn: undefined,
    log: {
      initialState: () => ({ hard, conf: base.confState }),
      firstIndex: () => tail.firstIndex,
      lastIndex: () => tail.lastIndex,
      term: index => tail.term(index),
      entries: (lo, hi, maxBytes) => tail.entries(lo, hi, maxBytes),
      snapshot: () => snapshot
    },
    async append (batch) {
      await Promise.resolve()
      tail.append(batch.entries, nowhere)
      figures.written(batch.entries.length, tail.lastIndex)
      hard = batch.hard ?? hard
    },
    appendBehind: () => undefined,
    async setBase (meta) {
      if (meta.index < base.index) return
      if (tail.holds(meta)) tail.setBase(meta)
      else tail.reset(meta)
      base = meta
      if (hard.commit < meta.index) hard = { ...hard, commit: meta.index }
    },
    announceSnapshot (newest) { snapshot = newest },
    async renameCluster (id) { identity = { ...identity, clusterId: id } },
    async adoptCluster (id) { identity = { ...identity, clusterId: id } },
    status: () => ({
      firstIndex: tail.firstIndex,
      lastIndex: tail.lastIndex,
      logBytes: tail.heldBytes,
      segments: 0,
      queuedBatches: 0,
      ...figures.status(tail.firstIndex, tail.lastIndex),
      waitingForSpace: false
    }),
    async [Symbol.asyncDispose] () {}
  }
}
