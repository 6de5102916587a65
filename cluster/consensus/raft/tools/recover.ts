/** The last resort when a majority of the voters is gone for good: one survivor goes on alone, as another cluster. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../clock.ts'
import { confStateAt } from '../conf-history.ts'
import { encodeConfChange, leaveJointEntry } from '../core/conf-codec.ts'
import type { Entry, EntryInput } from '../core/types.ts'
import type { Disk } from '../disk.ts'
import { replaceFile } from '../identity-file.ts'
import { openLogStorage } from '../log-storage.ts'
import { memberIds } from '../members.ts'

export const recoveryWarning = `recover makes this peer the only member of a NEW cluster, out of what this peer alone has.

- What was acknowledged by a majority this peer did not belong to is LOST without a trace.
- What this peer has and nobody acknowledged becomes true.
- The other peers can never come back with what they have: wipe their folders and let them join.
- If a majority still lives somewhere (behind a broken network, in a stopped container), you will have TWO clusters
  that both think they are right.

Use it only if a majority of the voters is gone for good, and on the survivor whose log is longest
(compare lastIndex and hardState.term of \`inspect\` on each). Copy the folder first.`

export interface Recovery {
  readonly clusterIdBefore: string | undefined
  readonly clusterId: string
  readonly removed: readonly number[]
  readonly lastIndex: number
}

/** Adds to the log, as agreed on, that everybody else has left. The folder must not be in use. */
export async function recover (disk: Disk, clock: Clock, folder: string): Promise<Recovery> {
  await using storage = await openLogStorage({ folder, disk, clock })
  const { nodeId, clusterId: before } = storage.identity
  const { term } = storage.log.initialState().hard
  const lastBefore = storage.log.lastIndex()
  const conf = confStateAt(storage.log, storage.base.confState, storage.base.index, lastBefore)
  const removed = memberIds(conf).filter(id => id !== nodeId)

  const steps: EntryInput[] = [
    ...conf.votersOutgoing.length > 0 ? [leaveJointEntry] : [],
    encodeConfChange({ transition: 'auto', changes: [{ type: 'ConfChangeAddNode', nodeId }], context: new Uint8Array(0) }),
    ...removed.map(id => encodeConfChange({ transition: 'auto', changes: [{ type: 'ConfChangeRemoveNode', nodeId: id }], context: new Uint8Array(0) }))
  ]
  const entries: Entry[] = steps.map((step, i) => ({ ...step, term: term + 1, index: lastBefore + 1 + i }))
  const lastIndex = lastBefore + entries.length
  const clusterId = randomUUID()
  // The name first: if the power goes between the two, the old cluster no longer knows us, and this is done again.
  await storage.renameCluster(clusterId)
  await storage.append({ hard: { term: term + 1, vote: nodeId, commit: lastIndex }, entries, mustSync: true })
  const record: Recovery = { clusterIdBefore: before, clusterId, removed, lastIndex }
  await replaceFile(disk, folder, 'recovered.json', Buffer.from(`${JSON.stringify({ at: new Date().toISOString(), ...record }, undefined, 2)}\n`))
  return record
}
