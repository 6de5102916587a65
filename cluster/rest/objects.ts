import { driftKinds } from '../api/drift.ts'
import { trackerStatuses } from '../api/pin-info.ts'
import { booleanSchema, cidSchema, integerSchema, listSchema, mapSchema, nullableSchema, numberSchema, objectSchema, peerSchema, refSchema, textSchema, timeSchema, wordSchema } from './schema.ts'
import type { Schema } from './schema.ts'

const texts = listSchema(textSchema)
const peers = listSchema(peerSchema)
const metadata = nullableSchema(mapSchema(textSchema))

const metric = {
  name: textSchema,
  peer: peerSchema,
  value: textSchema,
  expire: integerSchema,
  valid: booleanSchema,
  weight: integerSchema,
  partitionable: booleanSchema,
  received_at: integerSchema
}

/** What the API answers with, by the name under which the documents know it. Keys and their order are ipfs-cluster's. */
export const objects = {
  ID: objectSchema({
    id: peerSchema,
    addresses: texts,
    cluster_peers: peers,
    cluster_peers_addresses: texts,
    version: textSchema,
    commit: textSchema,
    rpc_protocol_version: textSchema,
    error: textSchema,
    ipfs: objectSchema({ id: textSchema, addresses: texts, error: textSchema }, ['id']),
    peername: textSchema
  }),
  Version: objectSchema({ version: textSchema }),
  Pin: objectSchema({
    replication_factor_min: integerSchema,
    replication_factor_max: integerSchema,
    name: textSchema,
    mode: wordSchema(['recursive', 'direct']),
    shard_size: integerSchema,
    user_allocations: nullableSchema(peers),
    expire_at: timeSchema,
    metadata,
    pin_update: nullableSchema(cidSchema),
    origins: texts,
    cid: cidSchema,
    type: wordSchema(['pin']),
    allocations: peers,
    max_depth: integerSchema,
    reference: nullableSchema(cidSchema),
    timestamp: timeSchema
  }),
  PinInfo: objectSchema({
    peername: textSchema,
    ipfs_peer_id: textSchema,
    ipfs_peer_addresses: texts,
    status: wordSchema(trackerStatuses),
    timestamp: timeSchema,
    error: textSchema,
    attempt_count: integerSchema,
    priority_pin: booleanSchema
  }, ['ipfs_peer_id', 'ipfs_peer_addresses']),
  GlobalPinInfo: objectSchema({
    cid: cidSchema,
    name: textSchema,
    allocations: peers,
    origins: texts,
    created: timeSchema,
    metadata,
    peer_map: mapSchema(refSchema('PinInfo'))
  }),
  AllocationReason: objectSchema({ peer: peerSchema, chosen: booleanSchema, why: textSchema, detail: textSchema }),
  TrustedPeers: objectSchema({ everyone: booleanSchema, peers }),
  DrainProgress: objectSchema({ peer: peerSchema, draining: booleanSchema, pins: integerSchema }),
  Drift: objectSchema({ cid: cidSchema, name: textSchema, peer: peerSchema, peername: textSchema, kind: wordSchema(driftKinds), detail: textSchema }),
  Move: objectSchema({ cid: cidSchema, name: textSchema, from: peerSchema, to: peerSchema, bytes: nullableSchema(integerSchema), why: textSchema, state: wordSchema(['planned', 'moved', 'left']), detail: textSchema }),
  AddedOutput: objectSchema({ name: textSchema, cid: nullableSchema(cidSchema), bytes: integerSchema, size: integerSchema, allocations: peers }, ['bytes', 'size', 'allocations']),
  Metric: objectSchema(metric),
  Alert: objectSchema({ ...metric, triggered_at: timeSchema }),
  ConnectGraph: objectSchema({
    cluster_id: peerSchema,
    id_to_peername: mapSchema(textSchema),
    ipfs_links: mapSchema(texts),
    cluster_links: mapSchema(peers),
    cluster_trust_links: mapSchema(booleanSchema),
    cluster_to_ipfs: mapSchema(textSchema)
  }),
  Bandwidth: mapSchema(objectSchema({ total_in: integerSchema, total_out: integerSchema, rate_in: numberSchema, rate_out: numberSchema })),
  GlobalRepoGC: objectSchema({
    peer_map: mapSchema(objectSchema({
      peer: peerSchema,
      peername: textSchema,
      keys: listSchema(objectSchema({ key: nullableSchema(cidSchema), error: textSchema }, ['error'])),
      error: textSchema
    }, ['error']))
  }),
  Token: objectSchema({ token: textSchema }),
  Error: objectSchema({ code: integerSchema, message: textSchema })
} as const satisfies Readonly<Record<string, Schema>>

export type ObjectName = keyof typeof objects
