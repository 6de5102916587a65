/* Written by `npm run docs` from the table of routes in cluster/rest; a test keeps it up to date. */

export interface ID {
  readonly id: string
  readonly addresses: ReadonlyArray<string>
  readonly cluster_peers: ReadonlyArray<string>
  readonly cluster_peers_addresses: ReadonlyArray<string>
  readonly version: string
  readonly commit: string
  readonly rpc_protocol_version: string
  readonly error: string
  readonly ipfs: {
    readonly id?: string
    readonly addresses: ReadonlyArray<string>
    readonly error: string
  }
  readonly peername: string
}

export interface Version {
  readonly version: string
}

export interface Pin {
  readonly replication_factor_min: number
  readonly replication_factor_max: number
  readonly name: string
  readonly mode: 'recursive' | 'direct'
  readonly shard_size: number
  readonly user_allocations: ReadonlyArray<string> | null
  readonly expire_at: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly pin_update: string | null
  readonly origins: ReadonlyArray<string>
  readonly cid: string
  readonly type: 'pin'
  readonly allocations: ReadonlyArray<string>
  readonly max_depth: number
  readonly reference: string | null
  readonly timestamp: string
}

export interface PinInfo {
  readonly peername: string
  readonly ipfs_peer_id?: string
  readonly ipfs_peer_addresses?: ReadonlyArray<string>
  readonly status: 'cluster_error' | 'pin_error' | 'unpin_error' | 'pinned' | 'pinning' | 'unpinning' | 'unpinned' | 'remote' | 'pin_queued' | 'unpin_queued' | 'sharded' | 'unexpectedly_unpinned'
  readonly timestamp: string
  readonly error: string
  readonly attempt_count: number
  readonly priority_pin: boolean
}

export interface GlobalPinInfo {
  readonly cid: string
  readonly name: string
  readonly allocations: ReadonlyArray<string>
  readonly origins: ReadonlyArray<string>
  readonly created: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly peer_map: Readonly<Record<string, PinInfo>>
}

export interface AllocationReason {
  readonly peer: string
  readonly chosen: boolean
  readonly why: string
  readonly detail: string
}

export interface TrustedPeers {
  readonly everyone: boolean
  readonly peers: ReadonlyArray<string>
}

export interface DrainProgress {
  readonly peer: string
  readonly draining: boolean
  readonly pins: number
}

export interface Drift {
  readonly cid: string
  readonly name: string
  readonly peer: string
  readonly peername: string
  readonly kind: 'missing' | 'unnoted' | 'surplus' | 'stale' | 'foreign'
  readonly detail: string
}

export interface Move {
  readonly cid: string
  readonly name: string
  readonly from: string
  readonly to: string
  readonly bytes: number | null
  readonly why: string
  readonly state: 'planned' | 'moved' | 'left'
  readonly detail: string
}

export interface AddedOutput {
  readonly name: string
  readonly cid: string | null
  readonly bytes?: number
  readonly size?: number
  readonly allocations?: ReadonlyArray<string>
}

export interface Metric {
  readonly name: string
  readonly peer: string
  readonly value: string
  readonly expire: number
  readonly valid: boolean
  readonly weight: number
  readonly partitionable: boolean
  readonly received_at: number
}

export interface Alert {
  readonly name: string
  readonly peer: string
  readonly value: string
  readonly expire: number
  readonly valid: boolean
  readonly weight: number
  readonly partitionable: boolean
  readonly received_at: number
  readonly triggered_at: string
}

export interface ConnectGraph {
  readonly cluster_id: string
  readonly id_to_peername: Readonly<Record<string, string>>
  readonly ipfs_links: Readonly<Record<string, ReadonlyArray<string>>>
  readonly cluster_links: Readonly<Record<string, ReadonlyArray<string>>>
  readonly cluster_trust_links: Readonly<Record<string, boolean>>
  readonly cluster_to_ipfs: Readonly<Record<string, string>>
}

export type Bandwidth = Readonly<Record<string, {
  readonly total_in: number
  readonly total_out: number
  readonly rate_in: number
  readonly rate_out: number
}>>

export interface GlobalRepoGC {
  readonly peer_map: Readonly<Record<string, {
    readonly peer: string
    readonly peername: string
    readonly keys: ReadonlyArray<{
      readonly key: string | null
      readonly error?: string
    }>
    readonly error?: string
  }>>
}

export interface Token {
  readonly token: string
}
