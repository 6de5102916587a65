/** What the parts of the suite of PeerRpc share. */
import { CID } from 'multiformats/cid'
import type { Test } from 'tap'
import type { PinInfo } from '../../cluster/api/pin-info.ts'
import type { PeerId } from '../../cluster/api/pin.ts'
import type { ImportItem, PeerRpc, PeerStreams, RpcHandlers } from '../../cluster/peer-ports.ts'
import type { Trust } from '../../cluster/peers/rpc/policy.ts'

export interface RpcPeer {
  readonly id: PeerId
  readonly rpc: PeerRpc
  readonly streams: PeerStreams
  /** As if its process had died. */
  kill (): Promise<void>
}

export interface RpcNetwork {
  /** Whom all others know the address of. */
  peer (handlers: Partial<RpcHandlers>, trustOf?: (peer: PeerId) => Trust): Promise<RpcPeer>
}

export type RpcTest = (title: string, body: (t: Test, network: RpcNetwork) => Promise<void>) => void

export const cid = CID.parse('bafkqaaa')
export const kib = 1_024
export const mib = 1_024 * kib
export const pinned = (peer: PeerId, name: string): PinInfo => ({ cid, name, peer, status: 'pinned', timestampMs: 5, error: '', attemptCount: 2, isPriority: true })
export const block = (bytes: number, fill = 1): ImportItem => ({ cid, bytes: new Uint8Array(bytes).fill(fill) })

export async function * asSource<T> (items: readonly T[]): AsyncGenerator<T, void, undefined> { yield * items }

/** A number that grows until what feeds it has to wait: when it has stood still for many turns of the event loop. */
export async function settled (value: () => number): Promise<number> {
  for (let last = value(), still = 0; ; still = value() === last ? still + 1 : 0, last = value()) {
    if (still > 20_000 && last > 0) return last
    await new Promise(resolve => setImmediate(resolve))
  }
}
