import type { Entry, Index } from './core/types.ts'
import type { Disk } from './disk.ts'
import { createFirstSegment } from './log-file.ts'
import { emptyBase, emptyHardState, replayLog } from './log-replay.ts'
import type { RecordPlace } from './log-tail.ts'
import { LogDamagedError } from './storage.ts'

/**
 * The log of a folder that belongs to nobody yet. It becomes somebody's with its identity, the last step; whatever an interrupted attempt left
 * is made again.
 *
 * @throws LogDamagedError when there is a log with something in it: then its identity was lost
 */
export async function prepareNewFolder ({ disk, folder }: { readonly disk: Disk, readonly folder: string }, segmentBytes: number, load: (index: Index, place: RecordPlace) => Entry, heldBytesMax: number): Promise<void> {
  const leftover = await replayLog(disk, folder, heldBytesMax, load)
  if (leftover === undefined) {
    await createFirstSegment(disk, folder, segmentBytes, { hard: emptyHardState, base: emptyBase, lastIndex: 0, lastTerm: 0 })
  } else if (leftover.hard.term > 0 || leftover.tail.lastIndex > 0) {
    throw new LogDamagedError(folder, 0, leftover.tail.lastIndex, 'there is a log, but the file `identity` that says whose it is has gone')
  }
}
