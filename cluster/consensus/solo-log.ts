import assert from 'node:assert/strict'
import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import type { AbortOptions, AppliedOp, AppliedOps, Consensus, PinsetOp, StateStore } from '../ports.ts'
import { bytesPerRow } from '../store/store.ts'
import type { Store, Table } from '../store/store.ts'
import { applyEntry, muteListener } from './apply.ts'
import { decodeLogOp, encodeLogOp } from './log-op.ts'

/** Entries that share one durable transaction at most, and callers that wait at most. */
const batchMax = 256
const waitingMax = 65_536
const replayBatch = 256

export interface SoloLogComponents {
  readonly store: Store
  readonly state: StateStore
  readonly applied: AppliedOps
  readonly self: PeerId
}

export interface SoloLogConfig {
  /** Entries kept after they have been applied, for a peer that joins later. */
  readonly trailingLogs: number
}

interface Proposal {
  readonly ops: readonly PinsetOp[]
  readonly signal: AbortSignal
  readonly resolve: (revision: bigint) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Consensus of one voter: an entry is agreed on as soon as it is on disk. Log, pinset and applied index change in one transaction,
 * and callers that wait while one is being written share the next.
 */
export function createSoloLog ({ store, state, applied, self }: SoloLogComponents, { trailingLogs }: SoloLogConfig): Consensus {
  const log = store.table('log')
  let waiting: Proposal[] = []
  let committing: Promise<void> | undefined
  let phase: 'idle' | 'started' | 'closed' = 'idle'
  let index = 0n

  async function commitWaiting (): Promise<void> {
    await Promise.resolve() // all that is proposed within this turn is in
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchMax)
      waiting = waiting.slice(batchMax)
      await commit(batch.filter(isStillWanted))
    }
    committing = undefined
  }

  async function commit (batch: readonly Proposal[]): Promise<void> {
    if (batch.length === 0) return
    const first = index + 1n
    const last = index + BigInt(batch.length)
    try {
      // Handed to the store within one turn, hence one transaction: entries, pinset and applied index.
      const entries = batch.map(({ ops }) => encodeLogOp(ops))
      const appending = store.write(() => {
        for (const [i, entry] of entries.entries()) log.put(keyOf(first + BigInt(i)), entry)
        truncate(log, last - BigInt(trailingLogs))
      }, entries.reduce((sum, entry) => sum + 2 * entry.byteLength, bytesPerRow))
      const applying = batch.map(({ ops }, i) => applyEntry({ state, applied }, ops, first + BigInt(i)))
      const [, ...outcomes] = await Promise.all([appending, ...applying])
      index = last
      for (const [i, proposal] of batch.entries()) answer(proposal, outcomes[i]!, first + BigInt(i))
    } catch (err) {
      for (const { reject } of batch) reject(err)
    }
  }

  return {
    name: 'consensus',
    state,
    async start (options) {
      assert(phase === 'idle', 'started once')
      index = await replay(log, state, options)
      phase = 'started'
    },
    async log (ops, { signal }) {
      signal.throwIfAborted()
      if (phase !== 'started') throw new ClusterError('ERR_NO_LEADER', phase === 'idle' ? 'the log is not open yet' : 'the log is closing')
      if (waiting.length >= waitingMax) throw new ClusterError('ERR_QUEUE_FULL', `${waitingMax} changes wait for the log already`)
      const { promise, resolve, reject } = Promise.withResolvers<bigint>()
      waiting.push({ ops, signal, resolve, reject })
      committing ??= commitWaiting()
      return await promise
    },
    leader: () => phase === 'started' ? self : undefined,
    peerset: () => [self],
    isTrusted: peer => peer === self,
    async [Symbol.asyncDispose] () {
      phase = 'closed'
      await committing
    }
  }
}

/** Who gave up before its turn came changes nothing; who gives up during the write learns how it went. */
function isStillWanted ({ signal, reject }: Proposal): boolean {
  if (signal.aborted) reject(signal.reason)
  return !signal.aborted
}

function answer ({ resolve, reject }: Proposal, outcomes: readonly AppliedOp[], revision: bigint): void {
  if (outcomes.every(outcome => 'revision' in outcome)) resolve(revision)
  else reject(new ClusterError('ERR_OUTDATED', 'somebody else changed the pin meanwhile'))
}

/** Applies what the log holds and the pinset does not, telling nobody. Answers the index of the last entry. */
async function replay (log: Table, state: StateStore, { signal }: AbortOptions): Promise<bigint> {
  const firstIndex = indexOf(log, {})
  const lastIndex = indexOf(log, { reverse: true })
  const missing = state.appliedIndex() + 1n
  if (firstIndex !== undefined && firstIndex > missing) throw new ClusterError('ERR_STORAGE', `the log begins at ${firstIndex}, the pinset needs it from ${missing}`)

  for (let next = missing; lastIndex !== undefined && next <= lastIndex; next += BigInt(replayBatch)) {
    signal.throwIfAborted()
    const rows = [...log.entries({ from: keyOf(next), limit: replayBatch })]
    await Promise.all(rows.map(({ key, value }) => applyEntry({ state, applied: muteListener }, decodeLogOp(value), key.readBigUInt64BE())))
  }
  return state.appliedIndex()
}

function indexOf (log: Table, { reverse = false }: { readonly reverse?: boolean }): bigint | undefined {
  for (const { key } of log.entries({ reverse, limit: 1 })) return key.readBigUInt64BE()
  return undefined
}

/** Removes a bounded number at a time, more than were added, so that a lowered setting is reached too. */
function truncate (log: Table, upTo: bigint): void {
  if (upTo <= 0n) return
  for (const { key } of [...log.entries({ to: keyOf(upTo + 1n), limit: batchMax * 2 })]) log.remove(key)
}

function keyOf (index: bigint): Buffer {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(index)
  return key
}
