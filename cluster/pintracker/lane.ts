import type { CID } from 'multiformats/cid'
import { cidKey, cidKeyText } from '../api/cid-key.ts'
import { ClusterError } from '../api/errors.ts'
import type { Pin } from '../api/pin.ts'
import { abortable } from '../async/abortable.ts'
import { createWorkerPool } from '../async/worker-pool.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AbortOptions, IpfsConnector, PinCall, PinNote } from '../ports.ts'
import type { PinTrackerConfig } from './config.ts'
import type { Expectations } from './expectations.ts'
import type { Foresight } from './foresight.ts'
import { isPriority } from './operation.ts'
import { Operations } from './operations.ts'
import type { Operation, OperationWish } from './operations.ts'
import { PriorityQueue } from './queue.ts'
import { runPin, runUnpin } from './runner.ts'
import type { TrackerIndex } from './tracker-index.ts'
import { createVerdicts } from './verdicts.ts'

const unpinWorkers = 4
/** What nobody waits for, as after a restart or an import, waits its turn outside, so that a million pins are not a million operations in memory. */
const roomyLengthMin = 1_000

export interface LaneComponents {
  readonly ipfs: IpfsConnector
  readonly index: TrackerIndex
  readonly clock: Clock
  readonly log: Logger
  readonly expectations: Expectations
  readonly foresight: Foresight
}

/** The operations, the queues they wait in and the workers that carry them out. */
export interface Lane extends AsyncDisposable {
  readonly operations: Operations
  pin (pin: Pin, attempts: number, note?: PinNote): void
  unpin (cid: CID, unpin: { readonly asked: boolean, readonly attempts: number }): void
  /** Takes back what is allocated elsewhere now. */
  release (cid: CID, attempts?: number): void
  /** Waits for the operation, or for the last of those that replace it. `cause` is that of a failure. */
  followed (operation: Operation, call: PinCall & { readonly onReleased?: () => void }): Promise<{ readonly operation: Operation, readonly cause: unknown }>
  room (options: AbortOptions): Promise<void>
  /** Whether there is room for one more of what nobody waits for. */
  hasRoom (type: 'pin' | 'unpin'): boolean
  queueLength (): number
}

export function createLane ({ ipfs, index, clock, log, expectations, foresight }: LaneComponents, config: PinTrackerConfig): Lane {
  const operations = new Operations()
  const roomyLength = Math.max(roomyLengthMin, 2 * config.concurrentPins)
  const pins = new PriorityQueue<Operation>(config.maxPinQueueSize)
  const unpins = new PriorityQueue<Operation>(config.maxPinQueueSize)
  const pinWorkers = createWorkerPool(config.concurrentPins, () => pins.shift(), carryOut)
  const unpinners = createWorkerPool(unpinWorkers, () => unpins.shift(), carryOut)
  const verdicts = createVerdicts({ index, clock, log }, operations)
  const { finish, fail } = verdicts
  let isClosing = false

  function begin (wish: Pick<OperationWish, 'type' | 'cid' | 'pin' | 'asked' | 'attempts'> & Partial<Pick<OperationWish, 'announcing'>>): Operation | undefined {
    const ageMs = clock.now() - (wish.pin?.timestampMs ?? 0)
    const isFirst = isPriority({ ageMs, attempts: wish.attempts }, config)
    const key = cidKeyText(wish.cid)
    const found = wish.type === 'pin' ? foresight.get(key) : undefined
    foresight.spoil(key)
    const { operation, isNew } = operations.begin({ announcing: {}, ...wish, key, found, sinceMs: clock.now(), isPriority: isFirst }, leaveQueue)
    return isNew && !isClosing ? operation : undefined
  }

  function enqueue (operation: Operation): void {
    const [queue, workers] = operation.type === 'pin' ? [pins, pinWorkers] : [unpins, unpinners]
    if (queue.push(operation, operation)) return workers.wake()
    void operation.previousStopped.then(operation.stopped.resolve)
    fail(operation, new ClusterError('ERR_QUEUE_FULL', `the queue holds ${config.maxPinQueueSize} operations already`))
  }

  function leaveQueue (operation: Operation): void {
    pins.delete(operation)
    unpins.delete(operation)
  }

  async function carryOut (operation: Operation): Promise<void> {
    const { signal } = operation.cancelling
    operation.phase = 'in_progress'
    operation.sinceMs = clock.now()
    try {
      await abortable(operation.previousStopped, signal)
      if (operation.type === 'pin') {
        const held = await runPin({ ipfs, index, clock }, operation)
        finish(operation, async () => await index.hold(cidKey(operation.cid), held))
      } else {
        await runUnpin({ ipfs, index, clock }, operation)
        finish(operation, async () => await index.forget(cidKey(operation.cid)))
      }
    } catch (err) {
      if (!signal.aborted) fail(operation, err)
    } finally {
      void operation.previousStopped.then(operation.stopped.resolve)
    }
  }

  /** An import pins it, unless it fails; the import gives no name, and no mode but recursive. */
  async function awaitDelivery (operation: Operation, delivered: Promise<void>): Promise<void> {
    operation.phase = 'in_progress'
    const isThere = await delivered.then(() => true, () => false)
    if (operation.cancelling.signal.aborted) return void operation.previousStopped.then(operation.stopped.resolve)
    const key = cidKey(operation.cid)
    if (isThere && operation.pin!.name === '' && operation.pin!.mode === 'recursive') {
      const before = index.held(key)?.before
      finish(operation, async () => await index.hold(key, { before, isConfirmed: true, sinceMs: clock.now() }))
      void operation.previousStopped.then(operation.stopped.resolve)
    } else {
      operation.phase = 'queued'
      enqueue(operation)
    }
  }

  function letGo (operation: Operation | undefined): void {
    if (operation === undefined) return
    verdicts.owe(operation)
    enqueue(operation)
  }

  return {
    operations,
    pin (pin, attempts, { delivery, unannounced = [] } = {}) {
      const operation = begin({ type: 'pin', cid: pin.cid, pin, announcing: { unannounced }, asked: false, attempts })
      if (operation === undefined) return
      const delivered = expectations.get(pin.cid, delivery)
      if (delivered === undefined) enqueue(operation)
      else verdicts.own(awaitDelivery(operation, delivered))
    },
    unpin: (cid, { asked, attempts }) => letGo(begin({ type: 'unpin', cid, pin: undefined, asked, attempts })),
    release: (cid, attempts = 0) => letGo(begin({ type: 'release', cid, pin: undefined, asked: false, attempts })),
    async followed (first, { signal, onProgress, onReleased }) {
      for (let operation = first; ;) {
        using _watching = watch(operation, onProgress)
        const outcome = await abortable(operation.ended.promise, signal)
        if (outcome.kind !== 'replaced') return { operation, cause: outcome.kind === 'failed' ? outcome.cause : undefined }
        if (outcome.by.type !== 'pin') onReleased?.()
        operation = outcome.by
      }
    },
    async room ({ signal }) {
      await abortable(Promise.all([pins.shorterThan(roomyLength), unpins.shorterThan(roomyLength)]), signal)
    },
    hasRoom: type => (type === 'pin' ? pins : unpins).length < roomyLength,
    queueLength: () => pins.length,
    async [Symbol.asyncDispose] () {
      isClosing = true
      const cause = new ClusterError('ERR_UNKNOWN_OUTCOME', 'the peer is shutting down')
      for (const operation of operations.values()) {
        leaveQueue(operation)
        operation.ended.resolve({ kind: 'failed', cause })
        operation.cancelling.abort(cause)
      }
      await Promise.all([pinWorkers[Symbol.asyncDispose](), unpinners[Symbol.asyncDispose]()])
      await verdicts[Symbol.asyncDispose]()
    }
  }
}

function watch (operation: Operation, onProgress: PinCall['onProgress']): Disposable {
  if (onProgress === undefined) return { [Symbol.dispose] () {} }
  operation.watchers.add(onProgress)
  if (operation.progress !== undefined) onProgress(operation.progress)
  return { [Symbol.dispose]: () => operation.watchers.delete(onProgress) }
}
