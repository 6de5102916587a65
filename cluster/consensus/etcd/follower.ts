import { ClusterError } from '../../api/errors.ts'
import { joinSignals } from '../../async/join-signals.ts'
import { pause } from '../../async/pause.ts'
import type { Clock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import type { FollowingState } from '../../peer-ports.ts'
import type { AbortOptions, AppliedOps } from '../../ports.ts'
import { applyEntries } from '../apply.ts'
import type { BookKeeper } from './book.ts'
import type { Etcd } from './client.ts'
import { EtcdAwayError, EtcdRefusedError } from './errors.ts'
import type { Keys } from './keys.ts'
import { entryOf } from './notes.ts'
import { takeOverPins } from './take-over.ts'
import type { WatchAnswer, WatchEvent } from './wire.ts'

/** Between two watches; of watches in a row that failed, one in so many is told. */
const retryMs = 200
const toldEvery = 25
/** Between tries to apply what is agreed on: while the disk is full it can neither be skipped nor forgotten. */
const fullDiskRetryMs = 1_000
/** Revisions without a pin after which the applied index is written down all the same, so that a peer that starts again does not ask for what etcd has forgotten. */
const idleRevisions = 1_000n

export interface FollowerComponents {
  readonly etcd: () => Etcd
  readonly keys: Keys
  readonly state: FollowingState
  readonly applied: AppliedOps
  readonly keeper: BookKeeper
  /** Reads anew who belongs to the cluster, when what happened meanwhile is forgotten. */
  readonly reload: (options: AbortOptions) => Promise<void>
  /** Who belongs to the cluster is different now. */
  readonly changed: () => void
  readonly clock: Clock
  readonly log: Logger
}

/** Carries out here what etcd tells, revision by revision. */
export interface Follower {
  /** Until the signal aborts. @throws ClusterError ERR_STORAGE when the disk refuses for good; the signal's reason */
  run (options: AbortOptions): Promise<void>
  /** All pins as they are in etcd now, whatever happened before. */
  takeOver (options: AbortOptions): Promise<void>
  /** Resolves when all up to that revision, which something of this cluster was changed at, is carried out here. A watch that tells nothing meanwhile is begun anew at another member. */
  reached (revision: bigint, options: AbortOptions): Promise<void>
  /** For so long the watch has told nothing. */
  silentMs (): number
}

interface Waiter { readonly revision: bigint, readonly done: PromiseWithResolvers<void> }

export function createFollower (components: FollowerComponents, { requestTimeout }: { readonly requestTimeout: number }): Follower {
  const { etcd, keys, state, applied, keeper, reload, changed, clock, log } = components
  const waiters = new Set<Waiter>()
  let seen = 0n
  let heardMs = clock.now()
  let isApplying = false
  let cutting = new AbortController()

  const unreadable = (cid: { toString (): string }): void => { log.warn('a key in etcd is no pin, and is left out', { cid: cid.toString() }) }
  const lastRevision = (): bigint => seen > state.appliedIndex() ? seen : state.appliedIndex()

  function reachedAll (revision: bigint): void {
    seen = revision
    for (const waiter of waiters) {
      if (waiter.revision > revision) continue
      waiters.delete(waiter)
      waiter.done.resolve()
    }
  }

  async function applyAll (groups: readonly (readonly WatchEvent[])[], signal: AbortSignal): Promise<void> {
    const upTo = revisionOfEvent(groups.at(-1)!)
    const entries = groups.map(events => entryOf(events, keys, unreadable)).filter(entry => entry !== undefined).filter(({ index }) => index > state.appliedIndex())
    if (entries.length === 0 && upTo - state.appliedIndex() >= idleRevisions) entries.push({ ops: [], index: upTo })
    if (entries.length === 0) return
    while (true) {
      try {
        await applyEntries({ state, applied }, entries)
        return
      } catch (err) {
        if (!isFullDisk(err)) throw err
        log.error('the disk is full: what is agreed on cannot be carried out here before there is room', { err })
        await pause(clock, fullDiskRetryMs, signal)
      }
    }
  }

  /** @returns whether the watch goes on */
  async function take (answers: readonly WatchAnswer[], signal: AbortSignal): Promise<boolean> {
    heardMs = clock.now()
    const groups = byRevision(answers.flatMap(({ events = [] }) => events)).filter(events => revisionOfEvent(events) > seen)
    if (groups.length > 0) {
      isApplying = true
      await applyAll(groups, signal).finally(() => { isApplying = false })
      const isChanged = groups.flat().map(event => keeper.note(event)).includes(true)
      reachedAll(revisionOfEvent(groups.at(-1)!))
      heardMs = clock.now()
      if (isChanged) changed()
    }
    const ended = answers.find(({ canceled }) => canceled)
    if (ended === undefined) return true
    if (ended.compact_revision === undefined) throw new EtcdRefusedError(0, ended.cancel_reason ?? 'etcd has ended the watch')
    log.info('etcd has forgotten what happened since this peer last heard of it: all pins are compared', { forgottenUpTo: ended.compact_revision, appliedHere: String(state.appliedIndex()) })
    await takeOver({ signal })
    return false
  }

  async function takeOver ({ signal }: AbortOptions): Promise<void> {
    isApplying = true
    try {
      const asOf = await takeOverPins({ etcd: etcd(), keys, state, applied, unreadable }, { signal })
      await reload({ signal })
      reachedAll(asOf)
      changed()
    } finally {
      isApplying = false
    }
  }

  async function watchOnce (signal: AbortSignal): Promise<void> {
    cutting = new AbortController()
    heardMs = clock.now()
    using joined = joinSignals(signal, cutting.signal)
    for await (const answers of etcd().watch({ ...keys.everything, start_revision: String(lastRevision() + 1n), progress_notify: true }, joined)) {
      if (!await take(answers, signal)) return
    }
  }

  return {
    takeOver,
    async run ({ signal }) {
      for (let failed = 0; ; failed++) {
        try {
          await watchOnce(signal)
          failed = 0
        } catch (err) {
          signal.throwIfAborted()
          if (err instanceof ClusterError && err.code === 'ERR_STORAGE') throw err
          if (failed % toldEvery === 0) log.warn('what happens in etcd is not heard of here; the next member is asked', { err })
        }
        await pause(clock, retryMs, signal)
      }
    },
    async reached (revision, { signal }) {
      if (seen >= revision) return
      const waiter: Waiter = { revision, done: Promise.withResolvers<void>() }
      const giveUp = (): void => { waiter.done.reject(signal.reason) }
      let timer: Disposable | undefined
      const look = (): void => {
        if (!isApplying && clock.now() - heardMs >= requestTimeout) cutting.abort(new EtcdAwayError('the watch tells nothing, though something has happened'))
        timer = clock.after(requestTimeout, look)
      }
      timer = clock.after(requestTimeout, look)
      waiters.add(waiter)
      signal.addEventListener('abort', giveUp, { once: true })
      try {
        if (signal.aborted) giveUp()
        await waiter.done.promise
      } finally {
        timer[Symbol.dispose]()
        waiters.delete(waiter)
        signal.removeEventListener('abort', giveUp)
      }
    },
    silentMs: () => isApplying ? 0 : clock.now() - heardMs
  }
}

const revisionOfEvent = (events: readonly WatchEvent[]): bigint => BigInt(events[0]!.kv.mod_revision)

/** etcd tells what happened at one revision together. */
function byRevision (events: readonly WatchEvent[]): readonly (readonly WatchEvent[])[] {
  const groups = new Map<string, WatchEvent[]>()
  for (const event of events) {
    const group = groups.get(event.kv.mod_revision)
    if (group === undefined) groups.set(event.kv.mod_revision, [event])
    else group.push(event)
  }
  return [...groups.values()]
}

function isFullDisk (err: unknown): boolean {
  return err instanceof ClusterError && (err.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC'
}
