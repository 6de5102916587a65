import type { CID } from 'multiformats/cid'
import { MultipartError } from '../cluster/api/kubo/multipart.ts'
import { abortable } from '../cluster/async/abortable.ts'
import { CallerLeftError, hasLeft } from '../cluster/async/caller-left.ts'
import { deadline } from '../cluster/async/deadline.ts'
import { untilGivenUp } from '../cluster/async/give-up.ts'
import { Channel } from '../cluster/async/channel.ts'
import { joinSignals } from '../cluster/async/join-signals.ts'
import type { Clock } from '../cluster/clock.ts'
import { defaultPinOptions } from '../cluster/api/pin.ts'
import type { PinOptions } from '../cluster/api/pin.ts'
import type { AbortOptions, AddingDaemon, ClusterApi, ImportCall, PinWait } from '../cluster/ports.ts'
import { batches } from './batches.ts'
import { buildEntries } from './build.ts'
import { readCar } from './car.ts'
import { unannouncedOf } from './announcing.ts'
import { addOnDaemon, assertAccepted } from './daemon-add.ts'
import type { Delivery, DeliveryComponents, DeliveryWishes } from './delivery.ts'
import type { AddEntry } from './entries.ts'
import { createImportSettings } from './import-settings.ts'
import type { AddedOutput, Built, ImportOutput } from './output.ts'
import { importerLayout } from './params.ts'
import { createSteadyDelivery } from './steady-delivery.ts'
import { createStragglers } from './stragglers.ts'
import type { Stragglers } from './stragglers.ts'
import { UploadError } from './upload-error.ts'
import type { AddParams, ImporterLayout } from './params.ts'

export interface AdderComponents extends DeliveryComponents {
  readonly cluster: DeliveryComponents['cluster'] & Pick<ClusterApi, 'foresee'>
  readonly daemon: AddingDaemon
  readonly clock: Clock
}

export interface ImportParams extends ImportCall, DeliveryWishes {
  readonly allowBigBlock: boolean
  readonly stats: boolean
  readonly pin: PinOptions
  readonly wait: PinWait
}

/** Brings content in: bytes or CARs to the daemons that will hold them, and a cluster pin for each root. */
export interface Adder {
  /** Adds entries as Kubo's `add` would, each top-level one a pin. What it tells comes in Kubo's order; a root's line once it is held. */
  add (entries: AsyncIterable<AddEntry>, params: AddParams, options: AbortOptions): AsyncIterable<AddedOutput>
  /** Imports CARs as Kubo's `dag/import` would: nothing is pinned unless all are good; then each root stands for itself. */
  importCars (cars: AsyncIterable<AsyncIterable<Uint8Array>>, params: ImportParams): AsyncIterable<ImportOutput>
  /** How many batches went which way, for whoever wants to know that the importer carries the usual ones. */
  readonly routes: { importer: number, daemon: number }
}

/** Held for each destination, so that reading, hashing and sending go on at once. */
const queueBytesMax = 4 << 20
const outputsMax = 1_024
/** Roots of a CAR that the daemon is asked about while their blocks come; what takes long is asked again. */
const foreseenMax = 16
/** Imports that are not waited for any more. */
const stragglersMax = 64
/** So long the daemon's pin lock is waited for the first time, then always twice as long up to the last. */
const lockWaitMs = { first: 500, last: 60_000 }
const batchLimits = { idleMs: 25, gatheredBytesMax: 1 << 20, gatheredEntriesMax: 512 }

export function createAdder (components: AdderComponents): Adder {
  const importSettings = createImportSettings(components.daemon, components.clock)
  const routes = { importer: 0, daemon: 0 }
  const stragglers = createStragglers(stragglersMax)

  return {
    routes,
    async * add (entries, params, { signal }) {
      const settings = await importSettings({ signal })
      const layout = settings === undefined ? undefined : importerLayout(params.options, settings)
      if (layout === undefined) await assertAccepted(components.daemon, params.options, { signal })
      yield * running(signal, async (outputs, signal) => {
        await addBatches({ components, params, layout, signal, routes, stragglers }, entries, outputs)
      })
    },
    importCars: (cars, params) => running(params.signal, async (outputs, signal) => {
      await importAll(components, cars, { ...params, signal, stragglers }, outputs)
    })
  }
}

/** Lets `work` go on while what it sends is taken at the taker's pace; when the taker leaves, or it fails, all of it ends. */
async function * running<T> (signal: AbortSignal, work: (outputs: Channel<T>, signal: AbortSignal) => Promise<void>): AsyncGenerator<T, void, undefined> {
  const controller = new AbortController()
  const outputs = new Channel<T>(outputsMax)
  using joined = joinSignals(signal, controller.signal)
  const done = work(outputs, joined.signal)
    .then(() => { outputs.close() }, (error: unknown) => { outputs.close({ error }) })
  try {
    yield * outputs
  } finally {
    controller.abort(new CallerLeftError('nobody waits for the answer'))
    await done
  }
}

interface AddRun {
  readonly components: AdderComponents
  readonly params: AddParams
  readonly layout: ImporterLayout | undefined
  readonly signal: AbortSignal
  readonly routes: Adder['routes']
  readonly stragglers: Stragglers
}

/** While one batch is being pinned the next is built; what that tells waits, so that lines keep their order. */
async function addBatches (asked: AddRun, entries: AsyncIterable<AddEntry>, outputs: Channel<AddedOutput>): Promise<void> {
  const refused = new AbortController()
  using joined = joinSignals(asked.signal, refused.signal)
  const run = { ...asked, signal: joined.signal }
  const { options } = run.params
  const isWhole = options['wrap-with-directory'] === true || options['to-files'] !== undefined
  let before: Promise<void> = Promise.resolve()
  let count = 0
  const finish = async (built: BuiltBatch): Promise<void> => {
    await before
    before = pinBatch(built, outputs, asked.signal)
    before.catch((err: unknown) => { refused.abort(err) }) // nothing more is read for an answer that has failed
    count++
  }
  // Where the upload is waited for, the wait is given up with the run; the upload itself is its owner's to end.
  const source = batches(entries, { ...batchLimits, isWhole }, run.components.clock)
  try {
    for (let next = await abortable(source.next(), run.signal); next.done !== true; next = await abortable(source.next(), run.signal)) {
      await finish(await abortable(buildBatch(run, next.value.entries, outputs, before), run.signal))
    }
    if (count === 0 && options['wrap-with-directory'] === true) await finish(await buildBatch(run, nothing, outputs, before))
  } catch (err) {
    throw err instanceof MultipartError && err.cut ? new MultipartError('multipart: NextPart: EOF') : err
  } finally {
    source.return().catch(() => {})
    await before
  }
  if (count === 0) throw new UploadError('expected a file argument')
}

const nothing: AsyncIterable<AddEntry> = { async * [Symbol.asyncIterator] () {} }

interface BuiltBatch {
  readonly delivery: Delivery
  /** From the first root on. */
  readonly held: readonly Built[]
  /** What ended the batch early; the roots before it are good. */
  readonly failure: { readonly error: unknown } | undefined
}

async function buildBatch (run: AddRun, entries: AsyncIterable<AddEntry>, outputs: Channel<AddedOutput>, before: Promise<void>): Promise<BuiltBatch> {
  const { components, params, layout, signal, routes, stragglers } = run
  const held: Built[] = []
  const tell = async (built: Built): Promise<void> => {
    if (held.length > 0 || built.root !== undefined) held.push(built)
    else {
      await before
      await outputs.send(built.output!)
    }
  }
  const asked = params.pin ?? defaultPinOptions
  const pin: PinOptions = { ...asked, name: params.options['pin-name'] ?? asked.name }
  const isLinked = params.options['to-files'] !== undefined
  const linked = Promise.withResolvers<void>()
  const open = async (): Promise<Delivery> => await createSteadyDelivery(components, { ...params, pin, queueBytesMax, isHeldHere: layout === undefined, unannounced: unannouncedOf(params.options), signal, stragglers, ...isLinked && { opensAfter: linked.promise } })
  // To link it in its files the daemon takes the lock itself: behind a GC that waits for an import of ours it would wait for ever.
  const delivery = layout !== undefined || isLinked ? await open() : await withPinLock(open, components, signal)
  try {
    if (layout !== undefined) {
      routes.importer++
      await buildEntries(entries, { options: params.options, layout, tell, take: block => delivery.put(block) })
    } else {
      routes.daemon++
      await addOnDaemon(components.daemon, entries, params.options, tell, { signal }).finally(linked.resolve)
      for (const { root } of held) if (root !== undefined && delivery.isForOthers) await exportTo(delivery, components.daemon, root, signal)
    }
    return { delivery, held, failure: undefined }
  } catch (error) {
    if (!signal.aborted && held.some(({ root }) => root !== undefined)) return { delivery, held, failure: { error } }
    await delivery.abandon(error)
    throw error
  }
}

/**
 * Opens a delivery whose import on this peer's daemon holds the pin lock before anything is added there. A GC that comes between the import and the
 * question whether it has the lock waits for the import, and the question waits for the GC: then the import makes way and is opened anew.
 * Nothing of the upload has been read yet.
 */
async function withPinLock (open: () => Promise<Delivery>, { daemon, clock }: AdderComponents, signal: AbortSignal): Promise<Delivery> {
  for (let waitMs = lockWaitMs.first; ; waitMs = Math.min(2 * waitMs, lockWaitMs.last)) {
    const delivery = await open()
    using limit = deadline(clock, waitMs, 'taking the pin lock', signal)
    try {
      await daemon.reachPinLock(limit)
      return delivery
    } catch (err) {
      await delivery.abandon(err)
      if (signal.aborted || !limit.signal.aborted) throw err
    }
  }
}

async function exportTo (delivery: Delivery, daemon: AddingDaemon, root: CID, signal: AbortSignal): Promise<void> {
  const car = await readCar(daemon.exportDag(root, { signal }), { allowBigBlock: true })
  for await (const blocks of car?.blocks ?? []) for (const block of blocks) await delivery.put(block)
}

/** Pins what a batch has built, then tells what was held back, up to the first root that was refused. */
async function pinBatch ({ delivery, held, failure }: BuiltBatch, outputs: Channel<AddedOutput>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const roots = held.map(({ root }) => root).filter(root => root !== undefined)
  const outcomes = await delivery.pin(roots, 'inOrder')
  if (hasLeft(signal)) throw signal.reason // nobody is there to be told
  let next = 0
  for (const { output, root } of held) {
    const outcome = root === undefined ? undefined : outcomes[next++]
    if (outcome?.error !== undefined) throw outcome.error
    if (output !== undefined) await outputs.send(output)
    if (root !== undefined) await outputs.send({ kind: 'pinned', cid: root })
  }
  if (failure !== undefined) throw failure.error
}

async function importAll (components: AdderComponents, cars: AsyncIterable<AsyncIterable<Uint8Array>>, params: ImportParams & { readonly stragglers: Stragglers }, outputs: Channel<ImportOutput>): Promise<void> {
  const delivery = await createSteadyDelivery(components, { ...params, queueBytesMax, isHeldHere: false })
  const roots = new Map<string, CID>()
  using foreseen = new DisposableStack()
  let blockCount = 0
  let blockBytes = 0
  const limits = { allowBigBlock: params.allowBigBlock, isCheckedLater: !delivery.isForOthers }
  try {
    for await (const bytes of untilGivenUp(cars, params)) {
      const car = await readCar(untilGivenUp(bytes, params), limits)
      if (car === undefined) return await delivery.abandon(new Error('a CAR of no bytes'))
      for (const root of car.roots) roots.set(root.toString(), root)
      for (const root of car.roots.slice(0, foreseenMax)) foreseen.use(components.cluster.foresee(root))
      for await (const blocks of car.blocks) {
        for (const block of blocks) {
          blockCount++
          blockBytes += block.bytes.byteLength
          await delivery.put(block)
        }
      }
    }
  } catch (err) {
    await delivery.abandon(err)
    throw err
  }
  const outcomes = await delivery.pin([...roots.values()], 'eachAlone')
  if (hasLeft(params.signal)) throw params.signal.reason // nobody is there to be told
  for (const { cid, error } of outcomes) await outputs.send({ kind: 'root', cid, pinError: error === undefined ? '' : textOf(error) })
  if (params.stats) await outputs.send({ kind: 'stats', blockCount, blockBytes })
}

function textOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
