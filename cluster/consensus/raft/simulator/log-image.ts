import assert from 'node:assert/strict'
import type { Entry, HardState, Index, Snapshot, Term } from '../core/types.ts'

/** What one peer's log folder holds, as plain arrays. `entries[0]` has the index `base + 1`. */
export interface LogImage {
  base: Index
  baseTerm: Term
  entries: Entry[]
  hard: HardState
  /** The newest snapshot; the log never begins after it. */
  snapshot: Snapshot
}

/** Everything of one storage write; whole or not at all, as one checksummed record or one transaction would be. */
export interface DiskRecord {
  readonly hard: HardState | undefined
  readonly entries: readonly Entry[]
  readonly snapshot: Snapshot | undefined
}

export function lastIndexOf (image: LogImage): Index {
  return image.base + image.entries.length
}

/** @returns undefined where this image knows nothing: before its base or after its end */
export function termAt (image: LogImage, index: Index): Term | undefined {
  if (index === image.base) return image.baseTerm
  return image.entries[index - image.base - 1]?.term
}

/** Whether the image has this entry, or a snapshot made after it. */
export function covers (image: LogImage, index: Index, term: Term): boolean {
  return index < image.base || termAt(image, index) === term
}

export function writeRecord (image: LogImage, { hard, entries, snapshot }: DiskRecord): void {
  if (hard !== undefined) image.hard = hard
  if (snapshot !== undefined) {
    image.base = snapshot.meta.index
    image.baseTerm = snapshot.meta.term
    image.entries = []
    image.snapshot = snapshot
  }
  const first = entries[0]
  if (first === undefined) return
  assert(first.index > image.base, `a write begins at ${first.index}, inside what was compacted to ${image.base}`)
  assert(first.index <= lastIndexOf(image) + 1, `a write begins at ${first.index} and leaves a gap after ${lastIndexOf(image)}`)
  image.entries.length = first.index - image.base - 1
  for (const entry of entries) image.entries.push(entry)
}

/** Forgets entries up to and with `to`, which a durable snapshot must cover. */
export function compactImage (image: LogImage, to: Index): void {
  if (to <= image.base) return
  assert(to <= image.snapshot.meta.index, `compacting to ${to}, after the snapshot at ${image.snapshot.meta.index}`)
  const term = termAt(image, to)
  if (term === undefined) return
  image.entries = image.entries.slice(to - image.base)
  image.base = to
  image.baseTerm = term
}

export function copyImage (image: LogImage): LogImage {
  return { ...image, entries: image.entries.slice() }
}
