/* Written by `npm run docs` from the table of routes in cluster/rest; a test keeps it up to date. */

import type { AddedOutput, Alert, AllocationReason, Bandwidth, ConnectGraph, DrainProgress, Drift, GlobalPinInfo, GlobalRepoGC, ID, Metric, Move, Pin, Token, TrustedPeers, Version } from './objects.ts'

export type NoQuery = Readonly<Record<string, never>>

/** What may be asked for, by method and path: the query, spelt in camel case, and the answer, or what one line of it is. */
export interface Operations {
  /** This peer and its daemon. */
  'GET /id': { readonly query: NoQuery, readonly answer: ID }
  /** The version of this peer. */
  'GET /version': { readonly query: NoQuery, readonly answer: Version }
  /** The members of the cluster, as they answer. Of one that does not, the error says why. */
  'GET /peers': { readonly query: NoQuery, readonly answer: ID }
  /** Answers a member as it is. In ipfs-cluster it makes a peer a voter that somebody is about to start; here a peer joins by itself, and 400 says how. */
  'POST /peers': { readonly query: NoQuery, readonly answer: ID }
  /** Takes a peer out of the cluster, dead or alive; answered once it is agreed on. One that runs stops. */
  'DELETE /peers/{peer}': { readonly query: NoQuery, readonly answer: undefined }
  /** Relieves a member of its pins: others get a copy of each, then it is let off. Answered once that is agreed on, with the number of pins there are to move; 400 when the others are too few. An addition. */
  'POST /peers/{peer}/drain': { readonly query: NoQuery, readonly answer: DrainProgress }
  /** Relieves a member of its pins no longer: it keeps those it still has, and is given new ones. An addition. */
  'DELETE /peers/{peer}/drain': { readonly query: NoQuery, readonly answer: DrainProgress }
  /** Whether a member is being relieved of its pins, and how many still name it. Pins that go everywhere are not counted. An addition. */
  'GET /peers/{peer}/drain': { readonly query: NoQuery, readonly answer: DrainProgress }
  /** The peers that may change the pinset: all members, or those named, who need not be members yet. The others only store. An addition. */
  'GET /peers/trusted': { readonly query: NoQuery, readonly answer: TrustedPeers }
  /** Has a peer trusted to change the pinset; answered with all that are, once that is agreed on and the peer, if it is a member, has a vote. An addition. */
  'POST /peers/{peer}/trust': { readonly query: NoQuery, readonly answer: TrustedPeers }
  /** Has a peer trusted no longer: from now on it only stores. Where all members were trusted, those that are members now stay it, and who joins later is not. 400 when nobody would be left. An addition. */
  'DELETE /peers/{peer}/trust': { readonly query: NoQuery, readonly answer: TrustedPeers }
  /** Adds files, each one at the top a pin of its own, or CARs, each root a pin. */
  'POST /add': {
    readonly query: {
      /** A name for it. */
      readonly name?: string
      /** All below it, or its one block. */
      readonly mode?: 'recursive' | 'direct'
      /** Fewest and most peers that hold it: -1 is everywhere, 0 as configured */
      readonly replication?: number
      /** Fewest peers that hold it: -1 is everywhere, 0 as configured */
      readonly replicationMin?: number
      /** Most peers that hold it: -1 is everywhere, 0 as configured */
      readonly replicationMax?: number
      /** Peers that should hold it if they can. */
      readonly userAllocations?: ReadonlyArray<string>
      /** When it is unpinned; stands over expire-in. */
      readonly expireAt?: Date | string
      /** How long until it is unpinned, at least 1s. */
      readonly expireIn?: string
      /** A pin that it takes over what is not asked for from, and whose blocks it shares. */
      readonly pinUpdate?: string
      /** Nodes that have the content: multiaddrs with /p2p/<peer id> at the end. */
      readonly origins?: ReadonlyArray<string>
      /** Send the content to this peer's daemon only; the others that are to hold it fetch it from there. */
      readonly local?: boolean
      /** What the line of a root waits for: that the pin is agreed, that enough peers hold it, that all chosen ones do. An addition. */
      readonly wait?: 'commit' | 'min' | 'all'
      /** Bring the content to the daemons and pin nothing. */
      readonly noPin?: boolean
      /** Put a directory around all of it, which is then the one pin. */
      readonly wrapWithDirectory?: boolean
      /** How files are laid out. */
      readonly layout?: 'balanced' | 'trickle'
      /** How files are cut: size-N, rabin, rabin-AVG, rabin-MIN-AVG-MAX or buzhash. */
      readonly chunker?: string
      /** Leaves as raw blocks; if it is not given, as the CID version has it. */
      readonly rawLeaves?: boolean
      /** 0 or 1. Version 1 has raw leaves unless they are refused. */
      readonly cidVersion?: number
      /** The hash function, like sha2-256. */
      readonly hash?: string
    }
    readonly answer: AddedOutput
  }
  /** What should be pinned and by whom, in the order of the CIDs' bytes. */
  'GET /allocations': {
    readonly query: {
      /** Types of pins. All pins made here are of the type pin; Go's other ones are sharded adds. */
      readonly filter?: ReadonlyArray<'pin' | 'meta-pin' | 'clusterdag-pin' | 'shard-pin' | 'all'>
      /** At most so many. */
      readonly limit?: number
      /** Only what comes behind this CID: the last one of the page before. */
      readonly after?: string
    }
    readonly answer: Pin
  }
  /** One pin: what should be pinned and by whom. */
  'GET /allocations/{cid}': { readonly query: NoQuery, readonly answer: Pin }
  /** Each peer and why it would hold the pin or not, by what is known of the peers now. An addition. */
  'GET /allocations/{cid}/reasons': { readonly query: NoQuery, readonly answer: readonly AllocationReason[] }
  /** Where all pins stand, in the order of the CIDs' bytes; those of `cids` in the order asked for. */
  'GET /pins': {
    readonly query: {
      /** Ask this peer only. */
      readonly local?: boolean
      /** Statuses; error and queued are groups of them. */
      readonly filter?: ReadonlyArray<'cluster_error' | 'pin_error' | 'unpin_error' | 'pinned' | 'pinning' | 'unpinning' | 'unpinned' | 'remote' | 'pin_queued' | 'unpin_queued' | 'sharded' | 'unexpectedly_unpinned' | 'error' | 'queued'>
      /** Only these, pinned or not. Then the filter says nothing. */
      readonly cids?: ReadonlyArray<string>
      /** At most so many. */
      readonly limit?: number
      /** Only what comes behind this CID: the last one of the page before. */
      readonly after?: string
    }
    readonly answer: GlobalPinInfo
  }
  /** Where one pin stands. What nobody pins is unpinned everywhere, never 404. */
  'GET /pins/{cid}': {
    readonly query: {
      /** Ask this peer only. */
      readonly local?: boolean
    }
    readonly answer: GlobalPinInfo
  }
  /** Pins content. */
  'POST /pins/{cid}': {
    readonly query: {
      /** A name for it. */
      readonly name?: string
      /** All below it, or its one block. */
      readonly mode?: 'recursive' | 'direct'
      /** Fewest and most peers that hold it: -1 is everywhere, 0 as configured */
      readonly replication?: number
      /** Fewest peers that hold it: -1 is everywhere, 0 as configured */
      readonly replicationMin?: number
      /** Most peers that hold it: -1 is everywhere, 0 as configured */
      readonly replicationMax?: number
      /** Peers that should hold it if they can. */
      readonly userAllocations?: ReadonlyArray<string>
      /** When it is unpinned; stands over expire-in. */
      readonly expireAt?: Date | string
      /** How long until it is unpinned, at least 1s. */
      readonly expireIn?: string
      /** A pin that it takes over what is not asked for from, and whose blocks it shares. */
      readonly pinUpdate?: string
      /** Nodes that have the content: multiaddrs with /p2p/<peer id> at the end. */
      readonly origins?: ReadonlyArray<string>
      /** What the answer waits for: that it is agreed, that enough peers hold it, that all chosen ones do. An addition. */
      readonly wait?: 'commit' | 'min' | 'all'
    }
    readonly answer: Pin
  }
  /** Pins what a path leads to. The path after /ipfs, /ipns or /ipld is resolved by the daemon. */
  'POST /pins/{namespace}/{path}': { readonly query: Operations['POST /pins/{cid}']['query'], readonly answer: Pin }
  /** Unpins content; answers the pin that went. */
  'DELETE /pins/{cid}': { readonly query: NoQuery, readonly answer: Pin }
  /** Unpins what a path leads to; answers the pin that went. The path after /ipfs, /ipns or /ipld is resolved by the daemon. */
  'DELETE /pins/{namespace}/{path}': { readonly query: NoQuery, readonly answer: Pin }
  /** Tries a pin again that has failed. What nobody pins is unpinned everywhere, but for one peer alone (local) 404, as in ipfs-cluster. */
  'POST /pins/{cid}/recover': { readonly query: Operations['GET /pins/{cid}']['query'], readonly answer: GlobalPinInfo }
  /** Tries all pins again that have failed, are missing or too much; answers those. */
  'POST /pins/recover': { readonly query: Operations['GET /pins/{cid}']['query'], readonly answer: GlobalPinInfo }
  /** Compares the pinset with what each peer has noted and what its daemon holds, both ways; answers what differs, and mends nothing: POST /pins/recover does. No line at all when all is as it should be. An addition. */
  'GET /audit': {
    readonly query: {
      /** Ask this peer only. */
      readonly local?: boolean
      /** Tell as well of what the daemons' own users have pinned, at most 10000 of each peer: it is no fault, and nobody takes it away. */
      readonly foreign?: boolean
    }
    readonly answer: Drift
  }
  /** Moves pins to where the allocator would put them now, one at a time, and answers each when it is done; it ends when the client leaves. Refused while peers come and go. An addition. */
  'POST /rebalance': {
    readonly query: {
      /** Move nothing: answer what would be moved. */
      readonly dryRun?: boolean
      /** Bytes a second at most, on the average: 10485760 unless it is said. */
      readonly rate?: number
    }
    readonly answer: Move
  }
  /** Collects garbage on the daemons; answers what each threw away, which may be nothing. */
  'POST /ipfs/gc': { readonly query: Operations['GET /pins/{cid}']['query'], readonly answer: GlobalRepoGC }
  /** Whether this peer can do its work: it knows a leader, its disk has room, its clock is in step with the others', its daemon answers. If not, 503 and why; ipfs-cluster's tests nothing. */
  'GET /health': { readonly query: NoQuery, readonly answer: undefined }
  /** The same as /health. An addition. */
  'GET /health/ready': { readonly query: NoQuery, readonly answer: undefined }
  /** Whether the process answers. An addition. */
  'GET /health/live': { readonly query: NoQuery, readonly answer: undefined }
  /** Who is connected with whom. A member that does not answer is there without links. */
  'GET /health/graph': { readonly query: NoQuery, readonly answer: ConnectGraph }
  /** Metrics that were not renewed in time, the newest first, as this peer has seen it. */
  'GET /health/alerts': { readonly query: NoQuery, readonly answer: readonly Alert[] }
  /** Bytes between this peer and the others since it started, and a second, by protocol. What libp2p itself says is not counted. */
  'GET /health/bandwidth': { readonly query: NoQuery, readonly answer: Bandwidth }
  /** Names of what the peers measure of themselves. */
  'GET /monitor/metrics': { readonly query: NoQuery, readonly answer: readonly string[] }
  /** The latest of one metric by each peer. What could not be measured is left out; a name that nobody measures is an empty list. */
  'GET /monitor/metrics/{name}': { readonly query: NoQuery, readonly answer: readonly Metric[] }
  /** A token (JWT) that stands for the credentials this is asked with, to be sent as Authorization: Bearer. It is good until the user's password is changed. 401 where no users are configured. */
  'POST /token': { readonly query: NoQuery, readonly answer: Token }
  /** This API as an OpenAPI 3.1 document. An addition. */
  'GET /openapi.json': { readonly query: NoQuery, readonly answer: object }
}
