import { setTimeout } from 'node:timers/promises'
import { ClusterError } from '../api/errors.ts'
import type { AppliedOps, PinsetOp, StateStore } from '../ports.ts'
import { bytesPerRow } from '../store/store.ts'
import type { Store } from '../store/store.ts'
import { applyEntries } from './apply.ts'
import { decodeLogOp } from './log-op.ts'
import type { Kept, Loaded, StateMachine } from './raft/state-machine.ts'

const headKey = Buffer.from('head')
const sessionPrefix = 's'.charCodeAt(0)
const applied = Uint8Array.of(1)
const outdated = Uint8Array.of(0)
const notKnownYet = new Uint8Array(0)
/** Between tries to apply what is committed: while the disk is full it can neither be skipped nor forgotten. */
const fullDiskRetryMs = 1_000

/** Whether an answer says that the ops were carried out; undefined when it is no longer known. */
export function wasApplied (answer: Uint8Array): boolean | undefined { return answer.length === 0 ? undefined : answer[0] === 1 }

/**
 * The pinset as Raft's state machine. What is handed to the store within one turn is one transaction there: the pins, the engine's
 * bookkeeping and the session table change together, so that a crash neither repeats nor skips an entry.
 */
export function createPinsetMachine ({ store, state, listener }: {
  readonly store: Store
  readonly state: StateStore
  readonly listener: AppliedOps
}): StateMachine {
  const table = store.table('raft')

  function put (kept: Kept): void {
    table.put(headKey, kept.head())
    for (const [id, row] of kept.sessions()) {
      if (row === undefined) table.remove(sessionKey(id))
      else table.put(sessionKey(id), row)
    }
  }

  async function applyAll (commands: Parameters<StateMachine['apply']>[0], kept: Kept): Promise<readonly Uint8Array[]> {
    const entries = commands.map(({ index, data, decoded }) => ({ ops: decoded as readonly PinsetOp[] | undefined ?? decodeLogOp(data), index: BigInt(index) }))
    const applying = entries.length === 0 ? [] : applyEntries({ state, applied: listener }, entries)
    const keeping = store.write(() => { put(kept) }, 4 * bytesPerRow)
    const [outcomes] = await Promise.all([applying, keeping])
    return outcomes.map(outcome => outcome.every(op => 'revision' in op) ? applied : outdated)
  }

  return {
    durable: true,
    async load (): Promise<Loaded | undefined> {
      const head = table.get(headKey)
      if (head === undefined) return undefined
      const rows = [...table.entries({ from: Buffer.of(sessionPrefix), to: Buffer.of(sessionPrefix + 1) })]
      return { head: Buffer.from(head), sessions: rows.map(({ key, value }) => [Number(key.readBigUInt64BE(1)), Buffer.from(value)] as const) }
    },
    async apply (commands, keep) {
      // Which answers there will be is known when the transaction is through. The rows say meanwhile that the requests were
      // applied, which is what keeps them from being applied again; who asked hears from this peer, which knows.
      const kept = keep(commands.map(() => notKnownYet))
      const frozen = { head: kept.head(), sessions: [...kept.sessions()] }
      while (true) {
        try {
          return await applyAll(commands, { head: () => frozen.head, sessions: () => frozen.sessions })
        } catch (err) {
          if (!isFullDisk(err)) throw err
          await setTimeout(fullDiskRetryMs)
        }
      }
    },
    async flush () {}, // every transaction of the store is on disk when it is answered
    snapshot () {
      const chunks = state.snapshot()[Symbol.asyncIterator]()
      const first = chunks.next() // begins to read now, and so shows the pinset as of now, whenever the rest is read
      return {
        async * chunks () {
          for (let chunk = await first; chunk.done !== true; chunk = await chunks.next()) yield chunk.value
        },
        [Symbol.dispose] () { void chunks.return?.() }
      }
    },
    async restore (chunks, kept) {
      await state.restore(chunks)
      const before = [...table.entries({ from: Buffer.of(sessionPrefix), to: Buffer.of(sessionPrefix + 1) })].map(({ key }) => Buffer.from(key))
      const rows = [...kept.sessions()]
      await store.write(() => {
        for (const key of before) table.remove(key)
        put({ head: () => kept.head(), sessions: () => rows })
      }, (rows.length + 1) * bytesPerRow)
      listener.replaced()
    },
    digest: () => state.digest()
  }
}

function sessionKey (id: number): Buffer {
  const key = Buffer.alloc(9)
  key[0] = sessionPrefix
  key.writeBigUInt64BE(BigInt(id), 1)
  return key
}

function isFullDisk (err: unknown): boolean {
  return err instanceof ClusterError && (err.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC'
}
