import { formatAfter } from '../store/format.ts'
import type { Upgrade } from '../store/format.ts'
import { createStore } from '../store/store.ts'
import type { Store } from '../store/store.ts'
import { addDigest } from './pinset.ts'

/**
 * What makes of a peer's state of an earlier version one of this version, a format each.
 *
 * 2: the pinset has a digest. What has it already, written by versions in between, keeps it.
 */
const upgrades: readonly Upgrade[] = [addDigest]

/** The format of the state that this program writes. */
export const stateFormat: number = formatAfter(upgrades)

/** The store of a peer: log bookkeeping, pinset and tracker index. A state of an earlier format is upgraded as it is opened. */
export function createPeerStore ({ folder }: { readonly folder: string }): Store {
  return createStore({ folder, upgrades })
}
