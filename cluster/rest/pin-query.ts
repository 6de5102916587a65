import type { CID } from 'multiformats/cid'
import { factorsOf, replicationOf } from '../api/pin-json.ts'
import type { PinOptions, Replication } from '../api/pin.ts'
import { cid, duration, integer, origins, parseCid, peers, text, time, word } from './parameters.ts'
import type { ValuesOf } from './parameters.ts'
import { RefusedError } from './rest-error.ts'

const factor = (which: string) => integer(`${which} peers that hold it: -1 is everywhere, 0 as configured`, { min: -1, max: 1_000_000 })

/** What a pin may be asked for with, as ipfs-cluster's clients write it in a query. */
export const pinParameters = {
  name: text('A name for it.', 255),
  mode: word('All below it, or its one block.', ['recursive', 'direct'], 'recursive'),
  replication: factor('Fewest and most'),
  'replication-min': factor('Fewest'),
  'replication-max': factor('Most'),
  'shard-size': integer('Go clients always send it. It says something about sharded adds only, which are not made here.', { min: 0, max: Number.MAX_SAFE_INTEGER }),
  'user-allocations': peers('Peers that should hold it if they can, with commas between.'),
  'expire-at': time('When it is unpinned; stands over expire-in.'),
  'expire-in': duration('How long until it is unpinned, at least 1s.', '1s'),
  'pin-update': cid('A pin that it takes over what is not asked for from, and whose blocks it shares.'),
  origins: origins('Nodes that have the content: multiaddrs with /p2p/<peer id> at the end, with commas between.')
} as const

export interface PinQueryContext {
  readonly nowMs: number
  /** What stands for a replication factor that is 0 or not given. */
  readonly defaults: { readonly replication: Replication }
}

/** @throws RefusedError 400 for what no parameter by itself can see */
export function pinOptionsOf (query: ValuesOf<typeof pinParameters>, metadata: Readonly<Record<string, string>>, { nowMs, defaults }: PinQueryContext): PinOptions {
  const expireIn = query['expire-in']
  const expireAtMs = query['expire-at'] ?? (expireIn === undefined ? undefined : nowMs + expireIn)
  if (expireAtMs !== undefined && expireAtMs <= nowMs) throw new RefusedError(400, 'parameter expire-at invalid: it is in the past')
  return {
    name: query.name,
    mode: query.mode,
    replication: replicationFrom(query, defaults.replication),
    userAllocations: query['user-allocations'],
    expireAtMs,
    metadata,
    pinUpdate: query['pin-update'],
    origins: query.origins
  }
}

/** @throws RefusedError 400, worded as ipfs-cluster's */
export function cidFromText (text: string): CID {
  try {
    return parseCid(text)
  } catch (err) {
    throw new RefusedError(400, `error decoding Cid: ${(err as Error).message}`)
  }
}

function replicationFrom (query: ValuesOf<typeof pinParameters>, fallback: Replication): Replication | undefined {
  const min = query.replication ?? query['replication-min'] ?? 0
  const max = query.replication ?? query['replication-max'] ?? 0
  if (min === 0 && max === 0) return undefined
  const factors = factorsOf(fallback)
  try {
    return replicationOf(min === 0 ? factors.min : min, max === 0 ? factors.max : max)
  } catch (err) {
    throw new RefusedError(400, (err as Error).message)
  }
}
