import type { PeerId } from './pin.ts'

/** The daemon behind a peer, as `id` of its API says. */
export interface IpfsId {
  readonly id: string
  readonly addresses: readonly string[]
  /** Empty when the daemon answered. */
  readonly error: string
}

/** One cluster peer, as `GET /id` shows it. */
export interface ClusterId {
  readonly id: PeerId
  readonly peername: string
  readonly version: string
  readonly addresses: readonly string[]
  readonly clusterPeers: readonly PeerId[]
  readonly clusterPeersAddresses: readonly string[]
  readonly error: string
  readonly ipfs: IpfsId
}

/** Whom a peer and its daemon are connected with just now. */
export interface PeerLinks {
  readonly peername: string
  /** Cluster peers, itself not among them. */
  readonly peers: readonly PeerId[]
  /** Id of its daemon; empty when that does not answer. */
  readonly daemon: string
  /** Whom the daemon is connected with, in the cluster or not. */
  readonly daemonPeers: readonly string[]
}
