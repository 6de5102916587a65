import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import type { StateStore } from '../ports.ts'
import { bytesPerRow } from '../store/store.ts'
import type { Store } from '../store/store.ts'
import { addressText } from './raft/addresses.ts'
import { foundCluster } from './raft/recovery.ts'
import type { StateMachine } from './raft/state-machine.ts'
import type { RaftStorage } from './raft/storage.ts'

const rowsPerTransaction = 256

/**
 * Makes a folder that belongs to no cluster yet a cluster of this one peer. A pinset that an earlier version kept under its one-voter log
 * is taken over as it is: the new log begins behind it, and the old one, which has nothing that the pinset does not have, is removed.
 *
 * @throws ClusterError ERR_STORAGE when the pinset was kept under a Raft log that is not there any more
 */
export async function foundOnPinset ({ storage, machine, store, state, self, folder, addresses, trusted }: {
  readonly storage: RaftStorage, readonly machine: StateMachine, readonly store: Store, readonly state: StateStore, readonly self: PeerId, readonly folder: string,
  /** Where this peer is reached. */
  readonly addresses: readonly string[]
  /** Peers that may change the pinset besides this one; `*` is every member. */
  readonly trusted: readonly string[]
}): Promise<void> {
  if (await machine.load() !== undefined) {
    throw new ClusterError('ERR_STORAGE', `the log that belongs to this pinset is not in ${folder} any more: put it back. If it is lost and this peer was alone, save the pins with ` +
      '"ipfs-cluster-service state export --file pins.json" and begin anew with "ipfs-cluster-service --force state import pins.json"')
  }
  const after = Number(state.appliedIndex())
  await foundCluster(storage, randomUUID(), { name: self, address: addressText(addresses) }, { after, trusted: trusted.includes('*') ? undefined : [...new Set([self, ...trusted])] })
  if (after > 0) await removeOneVoterLog(store)
}

async function removeOneVoterLog (store: Store): Promise<void> {
  const log = store.table('log')
  while (true) {
    const keys = [...log.entries({ limit: rowsPerTransaction })].map(({ key }) => Buffer.from(key))
    if (keys.length === 0) return
    await store.write(() => { for (const key of keys) log.remove(key) }, keys.length * bytesPerRow / 8)
    await setImmediate()
  }
}
