/**
 * When a snapshot is made, which are kept, how far the log may be dropped, and how one reaches a follower that is too far
 * behind. All of it beside the engine's turns: none of it delays a vote or a heartbeat.
 */
import type { Applier } from './applier.ts'
import { confStateAt } from './conf-history.ts'
import type { Disk } from './disk.ts'
import { Transfers } from './figures.ts'
import { decodeManifest, encodeManifest, listSnapshots, openIncoming, openSnapshot, readSnapshotFile, removeSnapshot, writeSnapshot } from './snapshot-files.ts'
import type { Manifest } from './snapshot-files.ts'
import type { RaftStorage } from './storage.ts'
import type { StateMachine } from './state-machine.ts'
import type { Index, Message, NodeId, ProgressStatus, Snapshot, SnapshotMeta } from './core/types.ts'
import type { RaftTransport } from './transport.ts'

export interface SnapshotPolicy {
  /** Entries applied since the last one before another is made (or, for a durable machine, before the log is dropped). */
  readonly thresholdEntries: number
  /** Entries kept behind it for a follower that is only a little late. */
  readonly trailingEntries: number
}

export interface SnapshotterComponents {
  readonly folder: string
  readonly disk: Disk
  readonly storage: RaftStorage
  readonly machine: StateMachine
  readonly applier: Applier
  readonly transport: RaftTransport
  /** The last entry that the slowest of the others has (`slowestOf`). */
  readonly slowest: () => Index
  /** Runs between two batches, when the state and the bookkeeping agree. */
  readonly between: <T>(task: () => T | Promise<T>) => Promise<T>
  readonly fail: (err: unknown) => void
}

const sendingMax = 2
const keptSnapshots = 2
/**
 * Of the entries that would be kept in any case, so many times as many are kept for a peer that is at it: while one copies a large state the others go on,
 * and what came meanwhile has to be there afterwards, or it begins anew for ever.
 */
const keptForSlowest = 10

/**
 * The last entry that the slowest of the others is known to have, as the leader sees it; Infinity on any other peer. Who is silent is not waited for.
 * All are taken for silent for a moment after each election timeout, so one that is being sent something counts as well.
 */
export function slowestOf (progress: readonly Pick<ProgressStatus, 'id' | 'match' | 'recentActive' | 'state'>[], self: NodeId): Index {
  return Math.min(...progress.filter(({ id, recentActive, state }) => id !== self && (recentActive || state !== 'probe')).map(({ match }) => match))
}

export class Snapshotter {
  readonly #with: SnapshotterComponents
  readonly #policy: SnapshotPolicy
  readonly #stop = new AbortController()
  #manifests: readonly Manifest[] = []
  #making: Promise<void> | undefined
  #sending = new Set<Promise<void>>()
  #lastIndex = 0
  readonly #done = { made: new Transfers(), sent: new Transfers(), received: new Transfers(), restored: new Transfers() }

  constructor (components: SnapshotterComponents, policy: SnapshotPolicy) {
    this.#with = components
    this.#policy = policy
  }

  get manifests (): readonly Manifest[] { return this.#manifests }
  get newest (): Manifest | undefined { return this.#manifests.at(-1) }

  status () {
    const { made, sent, received, restored } = this.#done
    return {
      newest: this.newest?.meta.index,
      making: this.#making !== undefined,
      sending: this.#sending.size,
      made: made.status(),
      sent: sent.status(),
      received: received.status(),
      restored: restored.status()
    }
  }

  async start (): Promise<void> {
    const { disk, folder, storage } = this.#with
    await disk.makeFolder(folder)
    for (const name of await disk.list(folder)) if (name.endsWith('.making')) await disk.remove(`${folder}/${name}`)
    this.#manifests = await listSnapshots(disk, folder)
    this.#lastIndex = Math.max(storage.base.index, this.newest?.meta.index ?? 0)
  }

  /** What `LogReader.snapshot` answers: the newest that reaches the log, or 'pending' while such a one is being made. */
  current (): Snapshot | 'pending' {
    const { newest } = this
    if (newest !== undefined && newest.meta.index >= this.#with.storage.base.index) return { meta: newest.meta, data: encodeManifest(newest) }
    this.#make()
    return 'pending'
  }

  /** After each batch. */
  applied (): void {
    if (this.#with.applier.at.index - this.#lastIndex >= this.#policy.thresholdEntries) this.#make()
  }

  /** Starts a transfer; `settled` says how it ended. At most two at once: more would only slow each other down. */
  send (to: NodeId, m: Message, settled: (ok: boolean) => void): void {
    const manifest = decodeManifest(m.snapshot!.data)
    if (manifest === undefined || this.#sending.size >= sendingMax) { settled(false); return }
    const { disk, folder, transport } = this.#with
    const begunMs = performance.now()
    const sending = transport.sendSnapshot(to, manifest, from => readSnapshotFile(disk, folder, manifest, from), { signal: this.#stop.signal })
      .then(() => {
        this.#done.sent.add(manifest.bytes, performance.now() - begunMs)
        transport.send(to, [m])
        settled(true)
      }, () => { settled(false) })
      .finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
  }

  async offered (manifest: Manifest): Promise<number> {
    if (this.has(manifest.meta) || manifest.meta.index <= this.#with.applier.at.index) return manifest.bytes
    return (await openIncoming(this.#with.disk, this.#with.folder, manifest)).have
  }

  async arrives (manifest: Manifest, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const { disk, folder } = this.#with
    if (this.has(manifest.meta) || manifest.meta.index <= this.#with.applier.at.index) {
      for await (const _piece of pieces) { /* nothing is sent when all is there */ }
      return
    }
    const begunMs = performance.now()
    await (await openIncoming(disk, folder, manifest)).receive(pieces)
    this.#done.received.add(manifest.bytes, performance.now() - begunMs)
    this.#manifests = await listSnapshots(disk, folder)
  }

  has ({ index, term }: SnapshotMeta): boolean {
    return this.#manifests.some(({ meta }) => meta.index === index && meta.term === term)
  }

  /** Puts the machine where the snapshot says. Its file is durable, and so is the log's new base. */
  async restore (meta: SnapshotMeta): Promise<void> {
    const { disk, folder, machine, applier } = this.#with
    const manifest = this.#manifests.find(({ meta: { index, term } }) => index === meta.index && term === meta.term)
    if (manifest === undefined) throw new Error(`the snapshot of index ${meta.index} is not here`)
    const begunMs = performance.now()
    const { kept, state } = await openSnapshot(disk, folder, manifest)
    const sessions = [...kept.sessions]
    await machine.restore(state, { head: () => kept.head, sessions: () => sessions })
    applier.load({ head: kept.head, sessions })
    this.#done.restored.add(manifest.bytes, performance.now() - begunMs)
    this.#lastIndex = meta.index
    await this.#retire()
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stop.abort(new Error('the peer is stopping'))
    await this.#making
    await Promise.allSettled([...this.#sending])
  }

  #make (): void {
    if (this.#making !== undefined || this.#stop.signal.aborted || this.#with.applier.at.index === 0) return
    this.#making = this.#makeOne()
      .catch(err => {
        // A full disk passes; the log goes on, and the next threshold tries again.
        if (err.code === 'ENOSPC') this.#lastIndex = this.#with.applier.at.index
        else if (!this.#stop.signal.aborted && err.code !== 'ERR_RAFT_STOPPED') this.#with.fail(err)
      })
      .finally(() => { this.#making = undefined })
  }

  async #makeOne (): Promise<void> {
    const { machine, applier, disk, folder, between } = this.#with
    const wanted = !machine.durable || this.#followerNeedsFile()
    const begun = await between(async () => {
      if (!wanted) await machine.flush()
      return { at: applier.at, kept: applier.kept(), state: wanted ? machine.snapshot() : undefined }
    })
    const { index, term, conf: confState } = begun.at
    if (begun.state !== undefined && !this.has({ index, term, confState })) {
      using state = begun.state
      const begunMs = performance.now()
      const { bytes } = await writeSnapshot(disk, folder, { index, term, confState }, begun.kept, state.chunks(), this.#stop.signal)
      this.#done.made.add(bytes, performance.now() - begunMs)
      this.#manifests = await listSnapshots(disk, folder)
    }
    this.#lastIndex = index
    await this.#dropLog(index)
    await this.#retire()
  }

  #followerNeedsFile (): boolean {
    return this.#with.applier.at.index - this.#lastIndex < this.#policy.thresholdEntries
  }

  /** Up to what a readable snapshot (or the machine itself) covers, less the trailing entries. */
  async #dropLog (covered: number): Promise<void> {
    const { storage, machine } = this.#with
    const previous = machine.durable ? covered : this.#manifests.at(-keptSnapshots)?.meta.index ?? 0
    const { trailingEntries } = this.#policy
    const lacked = Math.max(this.#with.slowest(), covered - keptForSlowest * trailingEntries)
    const index = Math.min(covered - trailingEntries, previous, lacked)
    if (index <= storage.base.index) return
    const term = storage.log.term(index)
    if (typeof term !== 'number') return
    const { index: from, confState } = storage.base
    await storage.setBase({ index, term, confState: confStateAt(storage.log, confState, from, index) })
  }

  async #retire (): Promise<void> {
    const { disk, folder } = this.#with
    if (this.#sending.size > 0) return // one of them may be under way to a follower
    for (const old of this.#manifests.slice(0, -keptSnapshots)) await removeSnapshot(disk, folder, old)
    for (const name of await disk.list(folder)) {
      if (name.endsWith('.part') && Number.parseInt(name, 16) <= this.#with.applier.at.index) await disk.remove(`${folder}/${name}`)
    }
    this.#manifests = this.#manifests.slice(-keptSnapshots)
  }
}
