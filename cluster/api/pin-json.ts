import { CID } from 'multiformats/cid'
import { ClusterError } from './errors.ts'
import { goTime, parseGoTime } from './go-time.ts'
import { parsePeerId } from './peer-id.ts'
import type { Pin, Replication } from './pin.ts'

/** A Pin as ipfs-cluster's REST API and its state export spell it: every key, in its order. */
export interface PinJson {
  readonly replication_factor_min: number
  readonly replication_factor_max: number
  readonly name: string
  readonly mode: 'recursive' | 'direct'
  /** Sharded adds are not made here; Go clients expect the key. */
  readonly shard_size: 0
  readonly user_allocations: null
  readonly expire_at: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly pin_update: string | null
  readonly origins: readonly string[]
  readonly cid: string
  readonly type: 'pin'
  readonly allocations: readonly string[]
  readonly max_depth: -1 | 0
  readonly reference: null
  readonly timestamp: string
}

export function pinToJson (pin: Pin): PinJson {
  const { min, max } = factorsOf(pin.replication)
  return {
    replication_factor_min: min,
    replication_factor_max: max,
    name: pin.name,
    mode: pin.mode,
    shard_size: 0,
    user_allocations: null,
    expire_at: goTime(pin.expireAtMs),
    metadata: Object.keys(pin.metadata).length === 0 ? null : pin.metadata,
    pin_update: pin.pinUpdate?.toString() ?? null,
    origins: pin.origins,
    cid: pin.cid.toString(),
    type: 'pin',
    allocations: pin.allocations,
    max_depth: pin.mode === 'recursive' ? -1 : 0,
    reference: null,
    timestamp: goTime(pin.timestampMs)
  }
}

/**
 * Reads a line of a state export, the Go program's among them. Keys that are not there get Go's zero values.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT naming the key; pins of sharded adds are refused
 */
export function pinFromJson (json: unknown): Pin {
  if (typeof json !== 'object' || json === null) return refuse('a pin', 'expected an object')
  const from = new PinReader(json as Record<string, unknown>)
  const type = from.text('type', 'pin')
  if (type !== 'pin') return refuse('type', `expected pin, got ${JSON.stringify(type)}: pins of sharded adds are not supported`)

  const replication = replicationOf(from.integer('replication_factor_min'), from.integer('replication_factor_max'))
  return {
    cid: from.read('cid', value => CID.parse(String(value))),
    name: from.text('name', ''),
    mode: from.integer('max_depth', from.text('mode', 'recursive') === 'direct' ? 0 : -1) === 0 ? 'direct' : 'recursive',
    replication,
    allocations: replication === 'everywhere' ? [] : from.texts('allocations').map(parsePeerId),
    expireAtMs: from.read('expire_at', value => value === undefined ? undefined : parseGoTime(String(value))),
    metadata: from.read('metadata', value => textsByName(value ?? {})),
    pinUpdate: from.read('pin_update', value => value === undefined ? undefined : CID.parse(String(value))),
    origins: from.texts('origins'),
    timestampMs: from.read('timestamp', value => value === undefined ? undefined : parseGoTime(String(value))) ?? 0
  }
}

/** Go's two numbers; -1 is everywhere. */
export function factorsOf (replication: Replication): { readonly min: number, readonly max: number } {
  return replication === 'everywhere' ? { min: -1, max: -1 } : replication
}

/** @throws ClusterError ERR_INVALID_ARGUMENT unless both are -1 or 1 ≤ min ≤ max */
export function replicationOf (min: number, max: number): Replication {
  if (min === -1 && max === -1) return 'everywhere'
  if (min >= 1 && max >= min) return { min, max }
  throw new ClusterError('ERR_INVALID_ARGUMENT', `replication factors: expected both -1, or 1 ≤ min ≤ max, got min ${min} and max ${max}`)
}

class PinReader {
  readonly #json: Record<string, unknown>

  constructor (json: Record<string, unknown>) { this.#json = json }

  /** Null counts as not there. */
  read<T> (key: string, parse: (value: unknown) => T): T {
    try {
      return parse(this.#json[key] ?? undefined)
    } catch (err) {
      return refuse(key, (err as Error).message, err)
    }
  }

  text (key: string, fallback: string): string {
    return this.read(key, value => {
      if (value !== undefined && typeof value !== 'string') throw new Error('expected a text')
      return value ?? fallback
    })
  }

  integer (key: string, fallback?: number): number {
    return this.read(key, value => {
      const number = value ?? fallback
      if (!Number.isInteger(number)) throw new Error('expected an integer')
      return number as number
    })
  }

  texts (key: string): readonly string[] {
    return this.read(key, value => {
      const items = value ?? []
      if (!Array.isArray(items) || !items.every(item => typeof item === 'string')) throw new Error('expected a list of texts')
      return items
    })
  }
}

function textsByName (value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || !Object.values(value).every(item => typeof item === 'string')) throw new Error('expected an object of texts')
  return value as Record<string, string>
}

function refuse (key: string, message: string, cause?: unknown): never {
  throw new ClusterError('ERR_INVALID_ARGUMENT', `${key}: ${message}`, { cause })
}
