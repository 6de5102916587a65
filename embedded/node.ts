import type { BlockService, ReadOptions } from './dag/block-service.ts'
import type { MfsTree } from './mfs/tree.ts'
import type { Network } from './network/network.ts'
import type { Pinning } from './pinning.ts'
import type { Call } from './rpc/command.ts'
import type { ImportDefaults } from './kubo-config.ts'
import type { PinLock } from './store/pin-lock.ts'
import type { Stores } from './store/stores.ts'
import type { Clock } from '../cluster/clock.ts'
import type { GlobalOptions } from '../cluster/api/kubo/request.ts'

/** What the commands of one daemon work on. */
export interface EmbeddedNode {
  readonly clock: Clock
  readonly stores: Stores
  readonly blocks: BlockService
  readonly pinning: Pinning
  readonly lock: PinLock
  readonly network: Network
  readonly mfs: MfsTree
  readonly version: string
  readonly peerId: string
  /** Protobuf of the public key, base64, as `id` shows it. */
  readonly publicKey: string
  readonly imports: ImportDefaults
  readonly storageMaxBytes: bigint
}

/** How far this call may look for blocks. */
export function readOptions ({ options, signal }: { options: Pick<GlobalOptions, 'offline' | 'local'>, signal: AbortSignal }): ReadOptions {
  return { signal, offline: options.offline ?? options.local ?? false }
}

/** For the parts of a command that Kubo does not keep local, whatever `offline` says. */
export function onlineOptions ({ signal }: Pick<Call, 'signal'>): ReadOptions {
  return { signal, offline: false }
}
