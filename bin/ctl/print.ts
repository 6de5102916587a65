import { sizeText, whenText } from './humanized.ts'

/** The API's objects as far as they are printed. */
interface IdJson { id: string, peername: string, addresses: readonly string[] | null, cluster_peers: readonly string[] | null, error: string, ipfs: { id?: string, addresses: readonly string[] | null, error: string } }
interface InfoJson { cid: string, name: string, peer_map: Readonly<Record<string, { peername: string, status: string, timestamp: string, error: string, attempt_count: number, priority_pin: boolean }>> }
interface PinJson { cid: string, name: string, type: string, mode: string, replication_factor_min: number, replication_factor_max: number, allocations: readonly string[] | null, max_depth: number, metadata: object | null, expire_at: string, timestamp: string }
interface GcJson { peer_map: Readonly<Record<string, { peername: string, error?: string, keys: readonly { key: string | null, error?: string }[] | null }>> }
interface MetricJson { peer: string, name: string, value: string, weight: number, expire: number }
interface AlertJson extends MetricJson { triggered_at: string }
interface ReasonJson { peer: string, chosen: boolean, why: string, detail: string }

/** Go's zero time, which stands for "not set". */
const zeroTime = '0001-01-01T00:00:00Z'

/**
 * Control characters and marks that turn the direction of writing, made visible: a name comes from whoever pinned, and must not
 * steer the terminal of whoever lists. `keep` are characters that are ours to print.
 */
export function printable (text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, character => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`)
}

/** As Go's tool prints JSON: each object by itself, indented by four. */
export function jsonText (value: unknown): string {
  const lines = JSON.stringify(value, undefined, 4).split('\n')
  return `${lines.map(printable).join('\n')}\n`
}

export function idText (json: unknown): string {
  const { id, peername, addresses, cluster_peers: peers, error, ipfs } = json as IdJson
  if (error !== '') return `${printable(id)} | ERROR: ${printable(error)}\n`
  const lines = [`${id} | ${peername} | Sees ${(peers ?? []).length - 1} other peers`, '  > Addresses:', ...addressLines(addresses)]
  const daemon = ipfs.error === '' ? [`  > IPFS: ${ipfs.id ?? ''}`, ...addressLines(ipfs.addresses)] : [`  > IPFS ERROR: ${ipfs.error}`]
  return textOf([...lines, ...daemon])
}

export function infoText (json: unknown): string {
  const { cid, name, peer_map: peers } = json as InfoJson
  const rows = Object.keys(peers).sort().map(id => {
    const { peername, status, error, timestamp, attempt_count: attempts, priority_pin: isPriority } = peers[id]!
    return `    > ${(peername || id).padEnd(20)} : ${status.toUpperCase()}${error === '' ? '' : `: ${error}`} | ${timestamp} | Attempts: ${attempts} | Priority: ${isPriority}`
  })
  return textOf([`${cid}${name === '' ? '' : ` | ${name}`}:`, ...rows])
}

export function pinText (json: unknown): string {
  const pin = json as PinJson
  const type = pin.type.toUpperCase() + (pin.mode === 'direct' ? '-DIRECT' : '')
  const isEverywhere = pin.replication_factor_min === -1 && pin.replication_factor_max === -1
  const replication = isEverywhere
    ? 'Repl. Factor: -1 | Allocations: [everywhere]'
    : `Repl. Factor: ${pin.replication_factor_min}--${pin.replication_factor_max} | Allocations: [${[...pin.allocations ?? []].sort().join(' ')}]`
  const depth = pin.max_depth === 0 ? 'Direct' : pin.max_depth === -1 ? 'Recursive' : `Recursive-${pin.max_depth}`
  const metadata = Object.keys(pin.metadata ?? {}).length === 0 ? 'no' : 'yes'
  return textOf([[pin.cid, pin.name, type, replication, depth, `Metadata: ${metadata}`, `Exp: ${dateText(pin.expire_at, '∞')}`, `Added: ${dateText(pin.timestamp, 'unknown')}`].join(' | ')])
}

export const addedText = (json: unknown): string => textOf([`added ${(json as { cid: string }).cid} ${(json as { name: string }).name}`])
export const cidText = (json: unknown): string => textOf([(json as { cid: string }).cid])
export const versionText = (json: unknown): string => textOf([(json as { version: string }).version])

export function gcText (json: unknown): string {
  const { peer_map: peers } = json as GcJson
  return textOf(Object.keys(peers).sort().flatMap(id => {
    const { peername, error, keys } = peers[id]!
    const head = (peername || id).padEnd(15) + (error === undefined || error === '' ? '' : ` | ERROR: ${error}`)
    return [head, '  > CIDs:', ...(keys ?? []).map(({ key, error }) => error ? `    - ERROR: ${error}` : `    - ${key ?? ''}`)]
  }))
}

export const nameText = (json: unknown): string => textOf([String(json)])

export function metricText (json: unknown): string {
  const { peer, name, value, weight, expire } = json as MetricJson
  const shown = name === 'freespace' && weight > 0 ? sizeText(weight) : value
  return textOf([`${peer} | ${name}: ${shown} | Expires in: ${whenText(expire / 1e6, Date.now())}`])
}

export function alertText (json: unknown): string {
  const { peer, name, expire, triggered_at: triggered } = json as AlertJson
  return textOf([`${peer}: ${name}. Expired at: ${whenText(expire / 1e6, Date.now())}. Triggered at: ${whenText(Date.parse(triggered), Date.now())}`])
}

export function reasonText (json: unknown): string {
  const { peer, chosen, why, detail } = json as ReasonJson
  return textOf([`${peer} | ${chosen ? 'CHOSEN' : 'NOT CHOSEN'} | ${why}${detail === '' ? '' : ` | ${detail}`}`])
}

/** A list that the API answers as one array: an item a line. */
export const eachText = (text: (json: unknown) => string) => (json: unknown): string => (json as readonly unknown[]).map(text).join('')

export const errorText = ({ code, message }: { code: number, message: string }): string => textOf(['An error occurred:', `  Code: ${code}`, `  Message: ${message}`])

const textOf = (lines: readonly string[]): string => lines.map(line => `${printable(line)}\n`).join('')
const addressLines = (addresses: readonly string[] | null): string[] => [...addresses ?? []].sort().map(address => `    - ${address}`)

/** `2026-01-31 12:00:00`, in the zone in which the API tells it. */
function dateText (time: string, unset: string): string {
  return time === zeroTime ? unset : time.slice(0, 19).replace('T', ' ')
}
