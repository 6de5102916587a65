/** The start: log, snapshots and state are brought together, or the peer says why it must not start. Also how a group is founded. */
import type { Applier } from './applier.ts'
import { encodeConfChange } from './core/conf-codec.ts'
import type { Entry } from './core/types.ts'
import { FatalError } from './errors.ts'
import { encodeRoster, isOnly } from './members.ts'
import type { Member } from './members.ts'
import type { Snapshotter } from './snapshotter.ts'
import type { RaftStorage } from './storage.ts'
import type { StateMachine } from './state-machine.ts'

/**
 * Makes a new group of this one peer: an entry takes it in as the only voter. Everybody else joins. Only for a folder that
 * has never belonged to a cluster; two peers founded apart are two clusters, and stay that. What an interrupted founding
 * left is simply done again: it is over when the folder has its cluster.
 *
 * `trusted`: who may write, this peer among them; without it all members may.
 * `after`: what the state has already seen under another log; this one begins behind it.
 */
export async function foundCluster (storage: RaftStorage, clusterId: string, self: Omit<Member, 'id' | 'incarnation'>, { after = 0, trusted }: { readonly after?: number, readonly trusted?: readonly string[] | undefined } = {}): Promise<void> {
  const { nodeId, incarnation, clusterId: before } = storage.identity
  if (before !== undefined) throw new FatalError(`this folder belongs to cluster ${before}: it cannot found another`)
  if (storage.log.lastIndex() > after + 1) throw new FatalError('there is a log in this folder, but it does not say which cluster it belongs to')
  const member: Member = { ...self, id: nodeId, incarnation }
  const first: Entry = {
    ...encodeConfChange({ transition: 'auto', changes: [{ type: 'ConfChangeAddNode', nodeId }], context: encodeRoster({ members: [member], trusted }) }), term: 1, index: after + 1
  }
  await storage.append({ hard: { term: 1, vote: 0, commit: 0 }, entries: [], mustSync: true })
  if (after > 0) await storage.setBase({ index: after, term: 1, confState: storage.base.confState })
  await storage.append({ hard: { term: 1, vote: 0, commit: after + 1 }, entries: [first], mustSync: true })
  await storage.adoptCluster(clusterId)
}

/** Leaves applier and machine at the same index, somewhere the log goes on from. */
export async function recoverState ({ storage, machine, applier, snapshotter }: {
  readonly storage: RaftStorage, readonly machine: StateMachine, readonly applier: Applier, readonly snapshotter: Snapshotter
}): Promise<void> {
  await snapshotter.start()
  const loaded = await machine.load()
  if (loaded !== undefined) applier.load(loaded)
  else if (machine.durable && storage.base.index > 0 && snapshotter.newest === undefined) applier.beginAfter(storage.base)

  await restoreNewest(storage, machine, applier, snapshotter)
  const { index, term } = applier.at
  if (index < storage.base.index) {
    throw new FatalError(`the log begins after entry ${storage.base.index}, but the state only reaches ${index} and no snapshot covers what is between. ` +
      'If the other peers are well, remove this peer from the cluster, move its folder away and let it join again')
  }
  if (index > storage.log.lastIndex() && machine.durable && isOnly(storage.identity.nodeId, applier.at.conf)) {
    // Alone the state vouches for its entries, and the log may have lost its unsynced end.
    await storage.setBase({ index, term, confState: applier.at.conf })
    return
  }
  if (index > storage.log.lastIndex()) {
    throw new FatalError(`the state has entry ${index}, but the log ends at ${storage.log.lastIndex()}: the log has lost what was acknowledged, or belongs to another state. ` +
      'If the other peers are well, remove this peer from the cluster, move its folder away and let it join again')
  }
  const logged = storage.log.term(index)
  if (typeof logged === 'number' && logged !== term && index > 0) {
    throw new FatalError(`entry ${index} has term ${logged} in the log and ${term} in the state: they do not belong together`)
  }
}

/**
 * Needed by a machine that keeps nothing itself; and by any when the power went between "the log begins behind the
 * snapshot" and "the state is the snapshot's". One that reaches past the log was never acknowledged, and is not used.
 */
async function restoreNewest (storage: RaftStorage, machine: StateMachine, applier: Applier, snapshotter: Snapshotter): Promise<void> {
  const usable = snapshotter.manifests.filter(({ meta }) => meta.index <= storage.log.lastIndex() && meta.index >= storage.base.index).toReversed()
  if (machine.durable && applier.at.index >= storage.base.index) return
  let failure: unknown
  for (const { meta } of usable) {
    if (meta.index <= applier.at.index) return
    try {
      await snapshotter.restore(meta)
      return
    } catch (err) {
      failure = err // an older one will do if the log still reaches back to it
    }
  }
  if (failure !== undefined) throw failure
}
