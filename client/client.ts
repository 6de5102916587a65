import { uploadOf } from './multipart.ts'
import type { FileContent, FileToAdd } from './multipart.ts'
import type { AddedOutput, Alert, AllocationReason, Bandwidth, ConnectGraph, DrainProgress, Drift, GlobalPinInfo, GlobalRepoGC, ID, Metric, Move, Pin, TrustedPeers } from './objects.ts'
import { createCaller } from './request.ts'
import type { Call, CallOptions, ClientOptions, QueryOf } from './request.ts'

export { ClusterClientError } from './errors.ts'
export type { FileContent, FileToAdd } from './multipart.ts'
export type * from './objects.ts'
export type { CallOptions, ClientOptions } from './request.ts'

interface WithMetadata { readonly metadata?: Readonly<Record<string, string>> }

export type PinOptions = QueryOf<'POST /pins/{cid}'> & WithMetadata & CallOptions
export type AddOptions = QueryOf<'POST /add'> & WithMetadata & CallOptions & {
  /** Told now and then how much of a file the peer has read. */
  readonly onProgress?: (progress: { readonly name: string, readonly bytes: number }) => void
}
export type ListOptions = QueryOf<'GET /pins'> & CallOptions
export type AllocationsOptions = QueryOf<'GET /allocations'> & CallOptions
/** `local`: the peer that is asked speaks of itself alone. */
export type LocalOptions = QueryOf<'GET /pins/{cid}'> & CallOptions

export type RebalanceOptions = QueryOf<'POST /rebalance'> & CallOptions
export type AuditOptions = QueryOf<'GET /audit'> & CallOptions

/** A file or folder that was added. */
export interface Added extends AddedOutput { readonly cid: string }

/**
 * The REST API of one peer. What lists is an async iterable: the request is sent when it is iterated, goes at the reader's pace, and ends
 * when the reader leaves. Everything fails with a ClusterClientError, or with the reason of its signal.
 */
export interface ClusterClient {
  /** The peer that is asked, and its daemon. */
  id (options?: CallOptions): Promise<ID>
  version (options?: CallOptions): Promise<string>
  /** The members. Of one that does not answer, `error` says why. */
  peers (options?: CallOptions): AsyncIterable<ID>
  /** Takes a peer out of the cluster for good. */
  removePeer (peer: string, options?: CallOptions): Promise<void>
  /** Has the pins of a peer moved to others; it goes on by itself. @throws ClusterClientError 400 when the others are too few */
  drainPeer (peer: string, options?: CallOptions): Promise<DrainProgress>
  /** Moves no more: the peer keeps what it still has. */
  stopDraining (peer: string, options?: CallOptions): Promise<DrainProgress>
  /** How many pins are left to be moved. */
  drainProgress (peer: string, options?: CallOptions): Promise<DrainProgress>
  /** The peers that may change the pinset; the other members only store. */
  trustedPeers (options?: CallOptions): Promise<TrustedPeers>
  /** Has a peer trusted to change the pinset, whether it is a member yet or not. @returns all that are */
  trustPeer (peer: string, options?: CallOptions): Promise<TrustedPeers>
  /** From now on the peer only stores. @throws ClusterClientError 400 when nobody would be left that may change the pinset */
  untrustPeer (peer: string, options?: CallOptions): Promise<TrustedPeers>

  /** Adds files, each first step of their paths a pin: a row for each file and folder. */
  add (files: Iterable<FileToAdd> | AsyncIterable<FileToAdd>, options?: AddOptions): AsyncIterable<Added>
  /** Adds one file without a folder and answers what it became. */
  addFile (content: FileContent, options?: AddOptions): Promise<Added>
  /** Adds CARs, version 1 or 2: a row for each root, which is a pin. */
  addCars (cars: Iterable<FileContent> | AsyncIterable<FileContent>, options?: Omit<AddOptions, 'wrapWithDirectory'>): AsyncIterable<Added>

  /** @param target a CID, or a path like `/ipfs/<cid>/a/b` that the daemon resolves */
  pin (target: string, options?: PinOptions): Promise<Pin>
  /** Answers the pin that went. @throws ClusterClientError 404 when there is none */
  unpin (target: string, options?: CallOptions): Promise<Pin>
  /** What should be pinned and by whom, ordered by CID. */
  allocations (options?: AllocationsOptions): AsyncIterable<Pin>
  /** @throws ClusterClientError 404 when there is none */
  allocation (cid: string, options?: CallOptions): Promise<Pin>
  /** Each peer, and why it would hold the pin or not. */
  reasons (cid: string, options?: CallOptions): Promise<readonly AllocationReason[]>
  /** Where pins stand on the peers, ordered by CID; with `cids` in their order. */
  statuses (options?: ListOptions): AsyncIterable<GlobalPinInfo>
  status (cid: string, options?: LocalOptions): Promise<GlobalPinInfo>
  /** Tries a pin again that has failed. */
  recover (cid: string, options?: LocalOptions): Promise<GlobalPinInfo>
  /** Tries all again that have failed, and answers those. */
  recoverAll (options?: LocalOptions): AsyncIterable<GlobalPinInfo>
  /** Moves pins to where they would be put now, for as long as it is iterated; with `dryRun` it tells what would be moved. @throws ClusterClientError while peers come and go */
  rebalance (options?: RebalanceOptions): AsyncIterable<Move>
  /** What the daemons hold otherwise than was agreed on; `recoverAll` mends it. */
  audit (options?: AuditOptions): AsyncIterable<Drift>
  /** Has the daemons throw away what is not pinned. */
  collectGarbage (options?: LocalOptions): Promise<GlobalRepoGC>

  /** @throws ClusterClientError 503 and why, when the peer cannot do its work */
  health (options?: CallOptions): Promise<void>
  graph (options?: CallOptions): Promise<ConnectGraph>
  alerts (options?: CallOptions): Promise<readonly Alert[]>
  bandwidth (options?: CallOptions): Promise<Bandwidth>
  metricNames (options?: CallOptions): Promise<readonly string[]>
  /** The latest of each peer. */
  metrics (name: string, options?: CallOptions): Promise<readonly Metric[]>
  /** A token that stands for the credentials this client has. */
  token (options?: CallOptions): Promise<string>
  /** The API as an OpenAPI document. */
  openApi (options?: CallOptions): Promise<object>
}

export function createClient (options: ClientOptions = {}): ClusterClient {
  const { value, lines } = createCaller(options)

  async function * added (files: Iterable<FileToAdd> | AsyncIterable<FileToAdd>, { onProgress, ...options }: AddOptions, format: 'unixfs' | 'car'): AsyncGenerator<Added, void, undefined> {
    const { query, ...call } = callOf(options)
    const rows = lines('POST /add', { ...call, query: { ...query, format, progress: onProgress !== undefined }, upload: signal => uploadOf(files, signal) })
    for await (const row of rows) {
      if (isAdded(row)) yield row
      else onProgress?.({ name: row.name, bytes: row.bytes ?? 0 })
    }
  }

  return {
    id: options => value('GET /id', callOf(options)),
    version: async options => (await value('GET /version', callOf(options))).version,
    peers: options => lines('GET /peers', callOf(options)),
    removePeer: (peer, options) => value('DELETE /peers/{peer}', callOf(options, { peer })),
    drainPeer: (peer, options) => value('POST /peers/{peer}/drain', callOf(options, { peer })),
    stopDraining: (peer, options) => value('DELETE /peers/{peer}/drain', callOf(options, { peer })),
    drainProgress: (peer, options) => value('GET /peers/{peer}/drain', callOf(options, { peer })),
    trustedPeers: options => value('GET /peers/trusted', callOf(options)),
    trustPeer: (peer, options) => value('POST /peers/{peer}/trust', callOf(options, { peer })),
    untrustPeer: (peer, options) => value('DELETE /peers/{peer}/trust', callOf(options, { peer })),
    add: (files, options = {}) => added(files, options, 'unixfs'),
    addFile: async (content, options = {}) => {
      const rows: Added[] = [] // no Array.fromAsync: this runs in browsers and Nodes that lack it
      for await (const row of added([{ path: options.name ?? '', content }], options, 'unixfs')) rows.push(row)
      return rows[0]!
    },
    addCars: (cars, options = {}) => added(named(cars), options, 'car'),
    async pin (target, options) {
      const steps = stepsOf(target)
      return steps === undefined ? await value('POST /pins/{cid}', callOf(options, { cid: target })) : await value('POST /pins/{namespace}/{path}', callOf(options, steps))
    },
    async unpin (target, options) {
      const steps = stepsOf(target)
      return steps === undefined ? await value('DELETE /pins/{cid}', callOf(options, { cid: target })) : await value('DELETE /pins/{namespace}/{path}', callOf(options, steps))
    },
    allocations: options => lines('GET /allocations', callOf(options)),
    allocation: (cid, options) => value('GET /allocations/{cid}', callOf(options, { cid })),
    reasons: (cid, options) => value('GET /allocations/{cid}/reasons', callOf(options, { cid })),
    statuses: options => lines('GET /pins', callOf(options)),
    status: (cid, options) => value('GET /pins/{cid}', callOf(options, { cid })),
    recover: (cid, options) => value('POST /pins/{cid}/recover', callOf(options, { cid })),
    recoverAll: options => lines('POST /pins/recover', callOf(options)),
    rebalance: options => lines('POST /rebalance', callOf(options)),
    audit: options => lines('GET /audit', callOf(options)),
    collectGarbage: options => value('POST /ipfs/gc', callOf(options)),
    health: options => value('GET /health', callOf(options)),
    graph: options => value('GET /health/graph', callOf(options)),
    alerts: options => value('GET /health/alerts', callOf(options)),
    bandwidth: options => value('GET /health/bandwidth', callOf(options)),
    metricNames: options => value('GET /monitor/metrics', callOf(options)),
    metrics: (name, options) => value('GET /monitor/metrics/{name}', callOf(options, { name })),
    token: async options => (await value('POST /token', callOf(options))).token,
    openApi: options => value('GET /openapi.json', callOf(options))
  }
}

const isAdded = (row: AddedOutput): row is Added => row.cid !== null

function callOf ({ signal, metadata, ...query }: CallOptions & WithMetadata = {}, path: Readonly<Record<string, string>> = {}): Call {
  return { path, query, metadata, ...signal !== undefined && { signal } }
}

/** A path is asked about elsewhere than a CID. */
function stepsOf (target: string): { readonly namespace: string, readonly path: string } | undefined {
  const [, namespace, path] = /^\/([^/]+)\/(.+)$/.exec(target) ?? []
  return namespace === undefined || path === undefined ? undefined : { namespace, path }
}

async function * named (cars: Iterable<FileContent> | AsyncIterable<FileContent>): AsyncGenerator<FileToAdd, void, undefined> {
  for await (const content of cars) yield { path: 'car', content }
}
