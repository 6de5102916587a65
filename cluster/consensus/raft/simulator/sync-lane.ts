import type { Lane, SimPeer } from './peer.ts'
import type { Ready } from '../core/types.ts'
import type { DiskRecord } from './log-image.ts'

/** Write, sync, send, apply, advance: the owner without lanes. Messages and ticks still get in while the disk is busy. */
export class SyncLane implements Lane {
  readonly #peer: SimPeer
  #ready: Ready | undefined
  #isWritten = false
  #syncedAt = 0

  constructor (peer: SimPeer) {
    this.#peer = peer
  }

  work (): void {
    const { core, surroundings: { settings, random, isCalm } } = this.#peer
    for (;;) {
      if (this.#ready === undefined) {
        if (!core.hasReady() || (!isCalm() && !random.chance(settings.eagerness))) return
        this.#ready = this.#peer.take()
        this.#isWritten = false
      }
      if (!this.#isOnDisk(this.#ready)) return
      this.#finish(this.#ready)
      this.#ready = undefined
    }
  }

  #isOnDisk (ready: Ready): boolean {
    const { disk, surroundings: { round } } = this.#peer
    if (!this.#isWritten) {
      this.#peer.instruction()
      const record: DiskRecord = { hard: ready.hardState, entries: ready.entries, snapshot: ready.snapshot }
      if (!isEmpty(record) && !disk.write(record)) return false
      this.#isWritten = true
      this.#syncedAt = round() + (mustSync(ready) ? syncRounds(this.#peer) : 0)
    }
    if (this.#syncedAt > round()) return false
    this.#peer.instruction()
    if (mustSync(ready)) syncOrStop(this.#peer, disk.unsyncedRecords)
    return true
  }

  #finish (ready: Ready): void {
    if (ready.snapshot !== undefined) this.#peer.restore(ready.snapshot)
    for (const message of ready.messages) this.#peer.send(message)
    for (const entry of ready.committedEntries) this.#peer.apply(entry)
    this.#peer.instruction()
    this.#peer.core.advance()
  }
}

/** A snapshot that is installed is always synced, whatever else there is to write: its sender counts on it (D7). */
function mustSync ({ mustSync, snapshot }: Ready): boolean {
  return mustSync || snapshot !== undefined
}

export function isEmpty ({ hard, entries, snapshot }: DiskRecord): boolean {
  return hard === undefined && entries.length === 0 && snapshot === undefined
}

/** How long this sync will take. */
export function syncRounds ({ surroundings: { settings, random, isCalm } }: SimPeer): number {
  if (isCalm()) return 0
  return random.chance(settings.slowSync) ? random.below(settings.slowSyncRoundsMost + 1) : random.below(settings.syncRoundsMost + 1)
}

/** A failed sync is never tried again: nobody can say what it has thrown away (D13). */
export function syncOrStop (peer: SimPeer, records: number): void {
  const { settings, random, isCalm } = peer.surroundings
  if (!isCalm() && random.chance(settings.syncFailure)) peer.failStop()
  peer.disk.sync(records)
}
