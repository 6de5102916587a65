import { ClusterError } from '../../api/errors.ts'
import type { PeerId } from '../../api/pin.ts'
import { createBackground } from '../../async/background.ts'
import { deadline } from '../../async/deadline.ts'
import type { Clock } from '../../clock.ts'
import type { AbortOptions, PinsetOp } from '../../ports.ts'
import { removedText } from '../removed-text.ts'
import type { Etcd } from './client.ts'
import { EtcdAwayError, inTheClustersWords, isCompacted } from './errors.ts'
import type { Keys } from './keys.ts'
import { fromWire, isAt, put, read, revisionOf } from './wire.ts'
import type { Txn } from './wire.ts'
import { createWrite, takeTogether } from './writes.ts'
import type { Write } from './writes.ts'

/** Further ones are refused: who waits behind so many waits too long. */
const waitingMax = 16_384
/** So often somebody else may have written in this peer's name, or a request that was given up may have arrived after all, before one is refused. */
const overtakenMax = 10

export interface CommitsComponents {
  readonly etcd: () => Etcd
  readonly keys: Keys
  readonly self: PeerId
  /** Of this start of the program, so that what it writes is known from what an earlier one has written. */
  readonly incarnation: string
  /** Resolves when what etcd has at that revision is applied here. */
  readonly reached: (revision: bigint, options: AbortOptions) => Promise<void>
  readonly clock: Clock
}

/** Changes of the pinset on their way to etcd: one transaction at a time, and what comes meanwhile shares the next. */
export interface Commits extends AsyncDisposable {
  /** Resolves when it is agreed on and applied here. Who gives up once it is on its way is told how it went all the same. @throws ClusterError as `Consensus.log` */
  submit (ops: readonly PinsetOp[], options: AbortOptions): Promise<bigint>
}

/** At which revision a transaction was carried out, and of which of its writes the guards held; undefined where that is no longer known. */
interface Outcome { readonly revision: bigint, readonly held: ReadonlyArray<boolean | undefined> }

export function createCommits ({ etcd, keys, self, incarnation, reached, clock }: CommitsComponents, { maxTxnOps, commitTimeout }: { readonly maxTxnOps: number, readonly commitTimeout: number }): Commits {
  const closing = new AbortController()
  const background = createBackground(() => {}) // whoever waits is told
  const waiting: Write[] = []
  const writer = keys.writer(self)
  let number = 0
  /** When this peer's last transaction was carried out, as far as is known here. */
  let lastRevision = 0n
  let isRunning = false

  function transactionOf (writes: readonly Write[], mark: string): Txn {
    return {
      compare: [isAt(writer, lastRevision), { key: keys.member(self), target: 'CREATE', create_revision: '0', result: 'GREATER' }],
      success: [put(writer, mark), ...writes.map(({ compare, changes, note }, slot) => ({ request_txn: { compare, success: [...changes, put(keys.note(slot), note)] } }))],
      failure: [read(writer), read(keys.member(self))]
    }
  }

  /** As often as it takes to know how it went: what has been carried out once fails its comparison, and leaves its mark. */
  async function carryOut (writes: readonly Write[]): Promise<Outcome> {
    const mark = `${incarnation}:${++number}`
    for (let tries = 0; tries < overtakenMax; tries++) {
      const { header, succeeded = false, responses = [] } = await etcd().txn(transactionOf(writes, mark), closing)
      if (succeeded) {
        lastRevision = revisionOf(header)
        return { revision: lastRevision, held: responses.slice(1).map(({ response_txn: own }) => own?.succeeded === true) }
      }
      const [before, member] = responses.map(({ response_range: found }) => found?.kvs?.[0])
      lastRevision = BigInt(before?.mod_revision ?? 0)
      if (before !== undefined && fromWire(before.value).toString('utf8') === mark) return { revision: lastRevision, held: await heldAt(lastRevision, writes.length) }
      if (member === undefined) throw new ClusterError('ERR_NO_LEADER', removedText)
    }
    throw new ClusterError('ERR_QUEUE_FULL', 'another process writes in the name of this peer: each needs an identity.json of its own')
  }

  /** Each write that is carried out leaves its note at that revision. */
  async function heldAt (revision: bigint, count: number): Promise<ReadonlyArray<boolean | undefined>> {
    try {
      const { kvs = [] } = await etcd().range({ ...keys.notes, revision: String(revision) }, closing)
      const left = new Set(kvs.filter(kv => BigInt(kv.mod_revision) === revision).map(({ key }) => key))
      return Array.from({ length: count }, (_, slot) => left.has(keys.note(slot)))
    } catch (err) {
      if (!isCompacted(err)) throw err
      return Array.from({ length: count }, () => undefined)
    }
  }

  async function settle (writes: readonly Write[], { revision, held }: Outcome): Promise<void> {
    try {
      using limit = deadline(clock, commitTimeout, 'applying what is agreed on', closing.signal)
      await reached(revision, limit)
    } catch (err) {
      for (const { done } of writes) done.reject(new ClusterError('ERR_UNKNOWN_OUTCOME', 'the change reached etcd, and what etcd has is not known here yet', { cause: err }))
      return
    }
    for (const [i, { done, isGuarded }] of writes.entries()) {
      const didHold = held[i] ?? (isGuarded ? undefined : true)
      if (didHold === true) done.resolve(revision)
      else if (didHold === false) done.reject(new ClusterError('ERR_OUTDATED', 'somebody else changed the pin meanwhile'))
      else done.reject(new ClusterError('ERR_UNKNOWN_OUTCOME', 'the change was agreed on, but whether its guard held is no longer known'))
    }
  }

  async function run (): Promise<void> {
    while (waiting.length > 0) {
      const writes = takeTogether(waiting, maxTxnOps)
      for (const write of writes) write.isSent = true
      try {
        background.run(settle(writes, await carryOut(writes)))
      } catch (err) {
        for (const { done } of writes) done.reject(failureOf(err))
      }
    }
    isRunning = false
  }

  return {
    async submit (ops, { signal }) {
      if (closing.signal.aborted) throw new ClusterError('ERR_NO_LEADER', 'the log is closing')
      if (waiting.length >= waitingMax) throw new ClusterError('ERR_QUEUE_FULL', `${waitingMax} changes wait for etcd already`)
      const write = createWrite(ops, keys, maxTxnOps)
      const giveUp = (): void => {
        if (write.isSent) return
        waiting.splice(waiting.indexOf(write), 1)
        write.done.reject(signal.reason)
      }
      waiting.push(write)
      signal.addEventListener('abort', giveUp, { once: true })
      if (!isRunning) {
        isRunning = true
        queueMicrotask(() => { background.run(run()) }) // what is asked for in the same turn goes together
      }
      try {
        return await write.done.promise
      } finally {
        signal.removeEventListener('abort', giveUp)
      }
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new ClusterError('ERR_NO_LEADER', 'the log is closing'))
      for (const { done } of waiting.splice(0)) done.reject(closing.signal.reason)
      await background[Symbol.asyncDispose]()
    }
  }
}

function failureOf (err: unknown): unknown {
  if (err instanceof EtcdAwayError && err.mayHaveReached) {
    return new ClusterError('ERR_UNKNOWN_OUTCOME', `whether the change is agreed on is not known: ${err.message}; it may happen yet`, { cause: err })
  }
  return inTheClustersWords(err, 'the pinset was not changed')
}
