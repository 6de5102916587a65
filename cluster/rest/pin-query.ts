import { CID } from 'multiformats/cid'
import { factorsOf, replicationOf } from '../api/pin-json.ts'
import { parseGoTime } from '../api/go-time.ts'
import { parsePeerId } from '../api/peer-id.ts'
import type { PinMode, PinOptions, Replication } from '../api/pin.ts'
import { durationMs } from '../config/section.ts'
import { didYouMean } from '../config/suggestion.ts'
import { RefusedError } from './rest-error.ts'

const names: readonly string[] = [
  'name', 'mode', 'replication', 'replication-min', 'replication-max', 'shard-size', 'user-allocations', 'expire-at', 'expire-in', 'pin-update', 'origins'
]
const metaPrefix = 'meta-'
const duration = durationMs('0s', { min: '1s' })

export interface PinQueryContext {
  readonly nowMs: number
  /** What stands for a replication factor that is 0 or not given. */
  readonly defaults: { readonly replication: Replication }
  /** Parameters that the route understands besides. */
  readonly others?: readonly string[]
}

/**
 * Pin options as ipfs-cluster's clients write them in a query. A parameter that is not known is refused: an option that is misspelt
 * and silently ignored pins something else than was asked for.
 *
 * @throws RefusedError 400
 */
export function pinOptionsFromQuery (query: URLSearchParams, { nowMs, defaults, others = [] }: PinQueryContext): PinOptions {
  const stranger = [...query.keys()].find(key => !names.includes(key) && !others.includes(key) && !key.startsWith(metaPrefix))
  if (stranger !== undefined) throw new RefusedError(400, `parameter ${stranger} unknown${didYouMean(stranger, [...names, ...others])}`)

  const value = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const text = query.get(name)
    if (text === null || text === '') return undefined
    try {
      return parse(text)
    } catch (err) {
      throw new RefusedError(400, `parameter ${name} invalid: ${(err as Error).message}`)
    }
  }
  value('shard-size', text => integer(text)) // Go clients always send it; it says something only about sharded adds
  const expireAtMs = value('expire-at', parseGoTime) ?? value('expire-in', text => nowMs + duration.parse(text))
  if (expireAtMs !== undefined && expireAtMs <= nowMs) throw new RefusedError(400, 'parameter expire-at invalid: it is in the past')

  return {
    name: value('name', validName) ?? '',
    mode: value('mode', pinMode) ?? 'recursive',
    replication: replicationFrom(value, defaults.replication),
    userAllocations: value('user-allocations', text => listOf(text).map(parsePeerId)) ?? [],
    expireAtMs,
    metadata: Object.fromEntries([...query].filter(([key]) => key.startsWith(metaPrefix) && key !== metaPrefix).map(([key, text]) => [key.slice(metaPrefix.length), text])),
    pinUpdate: value('pin-update', text => CID.parse(text)),
    origins: value('origins', text => listOf(text).map(origin)) ?? []
  }
}

/** @throws RefusedError 400, worded as ipfs-cluster's */
export function cidFromText (text: string): CID {
  try {
    return CID.parse(text)
  } catch (err) {
    throw new RefusedError(400, `error decoding Cid: ${(err as Error).message}`)
  }
}

function replicationFrom (value: <T>(name: string, parse: (text: string) => T) => T | undefined, fallback: Replication): Replication | undefined {
  const both = value('replication', integer)
  const min = both ?? value('replication-min', integer) ?? 0
  const max = both ?? value('replication-max', integer) ?? 0
  if (min === 0 && max === 0) return undefined
  const factors = factorsOf(fallback)
  try {
    return replicationOf(min === 0 ? factors.min : min, max === 0 ? factors.max : max)
  } catch (err) {
    throw new RefusedError(400, (err as Error).message)
  }
}

function integer (text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new Error('expected an integer')
  return Number(text)
}

function pinMode (text: string): PinMode {
  if (text !== 'recursive' && text !== 'direct') throw new Error('expected recursive or direct')
  return text
}

function validName (text: string): string {
  if (Buffer.byteLength(text) > 255) throw new Error('expected at most 255 bytes')
  return text
}

function origin (text: string): string {
  if (!/^\/.+\/p2p\/[^/]+$/.test(text)) throw new Error('expected multiaddrs that end in /p2p/<peer id>')
  return text
}

const listOf = (text: string): string[] => text.split(',').filter(item => item !== '')
