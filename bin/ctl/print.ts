import { sizeText, whenText } from './humanized.ts'
import type { Paint } from './paint.ts'
import { padded, printable } from './printable.ts'

/** The API's objects as far as they are printed. */
interface IdJson { id: string, peername: string, addresses: readonly string[] | null, cluster_peers: readonly string[] | null, error: string, ipfs: { id?: string, addresses: readonly string[] | null, error: string } }
interface InfoJson { cid: string, name: string, peer_map: Readonly<Record<string, { peername: string, status: string, timestamp: string, error: string, attempt_count: number, priority_pin: boolean }>> }
interface PinJson { cid: string, name: string, type: string, mode: string, replication_factor_min: number, replication_factor_max: number, allocations: readonly string[] | null, max_depth: number, metadata: object | null, expire_at: string, timestamp: string }
interface GcJson { peer_map: Readonly<Record<string, { peername: string, error?: string, keys: readonly { key: string | null, error?: string }[] | null }>> }
interface MetricJson { peer: string, name: string, value: string, weight: number | bigint, expire: number | bigint }
interface AlertJson extends MetricJson { triggered_at: string }
interface BandwidthJson { total_in: number | bigint, total_out: number | bigint, rate_in: number, rate_out: number }
interface DrainJson { peer: string, draining: boolean, pins: number }
interface DriftJson { cid: string, name: string, peer: string, peername: string, kind: string, detail: string }
interface MoveJson { cid: string, name: string, from: string, to: string, bytes: number | bigint | null, why: string, state: string, detail: string }
interface ReasonJson { peer: string, chosen: boolean, why: string, detail: string }

/** Go's zero time, which stands for "not set". */
const zeroTime = '0001-01-01T00:00:00Z'

/** One object of the API as text. Every piece of it that comes from elsewhere is made printable. */
export type TextOf = (json: unknown, paint: Paint) => string

export const idText: TextOf = (json, { bad }) => {
  const { id, peername, addresses, cluster_peers: peers, error, ipfs } = json as IdJson
  if (error !== '') return `${printable(id)} | ${bad('ERROR')}: ${printable(error)}\n`
  const lines = [`${id} | ${peername} | Sees ${(peers ?? []).length - 1} other peers`, '  > Addresses:', ...addressLines(addresses)]
  if (ipfs.error !== '') return `${textOf(lines)}  > ${bad('IPFS ERROR')}: ${printable(ipfs.error)}\n`
  return textOf([...lines, `  > IPFS: ${ipfs.id ?? ''}`, ...addressLines(ipfs.addresses)])
}

export const infoText: TextOf = (json, paint) => {
  const { cid, name, peer_map: peers } = json as InfoJson
  const rows = Object.keys(peers).sort().map(id => {
    const { peername, status, error, timestamp, attempt_count: attempts, priority_pin: isPriority } = peers[id]!
    return `    > ${padded(printable(peername || id), 20)} : ${painted(status, paint)}${error === '' ? '' : `: ${printable(error)}`} | ${printable(timestamp)} | Attempts: ${attempts} | Priority: ${isPriority}\n`
  })
  return `${printable(`${cid}${name === '' ? '' : ` | ${name}`}`)}:\n${rows.join('')}`
}

function painted (status: string, { good, bad, busy }: Paint): string {
  const word = printable(status.toUpperCase())
  if (status === 'pinned') return good(word)
  if (/error$|^undefined$|^unexpectedly/.test(status)) return bad(word)
  return /ing$|queued$/.test(status) ? busy(word) : word
}

export const pinText: TextOf = json => {
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

export const drainText: TextOf = json => {
  const { peer, draining, pins } = json as DrainJson
  const name = printable(peer)
  if (!draining) return `${name} is not being drained; ${pins} pins name it\n`
  return pins > 0 ? `${name} is being drained: ${pins} pins are left\n` : `${name} holds no pins of its own; take it out with: ipfs-cluster-ctl peers rm ${name}\n`
}

export const trustedText: TextOf = json => {
  const { everyone, peers } = json as { everyone: boolean, peers: readonly string[] }
  return everyone ? 'all members may change the pinset\n' : peers.map(peer => `${printable(peer)}\n`).join('')
}

export const driftText: TextOf = (json, { good, bad }) => {
  const { cid, name, peer, peername, kind, detail } = json as DriftJson
  const paint = kind === 'foreign' ? good : bad
  return `${printable(cid)}${name === '' ? '' : ` | ${printable(name)}`} | ${printable(peername || peer)} | ${paint(printable(kind.toUpperCase()))}${detail === '' ? '' : `: ${printable(detail)}`}\n`
}

export const moveText: TextOf = (json, { good, bad }) => {
  const { cid, name, from, to, bytes, why, state, detail } = json as MoveJson
  const size = bytes === null ? 'size unknown' : sizeText(Number(bytes))
  return `${printable(cid)}${name === '' ? '' : ` | ${printable(name)}`} | ${printable(`${from} → ${to}`)} | ${size} | ${(state === 'left' ? bad : good)(printable(state.toUpperCase()))}: ${printable(detail || why)}\n`
}

export const addedText: TextOf = json => textOf([`added ${(json as { cid: string }).cid} ${(json as { name: string }).name}`])
export const cidText: TextOf = json => textOf([(json as { cid: string }).cid])
export const versionText: TextOf = json => textOf([(json as { version: string }).version])

export const gcText: TextOf = (json, { bad }) => {
  const { peer_map: peers } = json as GcJson
  return Object.keys(peers).sort().map(id => {
    const { peername, error, keys } = peers[id]!
    const head = padded(printable(peername || id), 15) + (error === undefined || error === '' ? '' : ` | ${bad('ERROR')}: ${printable(error)}`)
    const rows = (keys ?? []).map(({ key, error }) => error ? `    - ${bad('ERROR')}: ${printable(error)}\n` : `    - ${printable(key ?? '')}\n`)
    return `${head}\n  > CIDs:\n${rows.join('')}`
  }).join('')
}

export const nameText: TextOf = json => textOf([String(json)])

export const metricText: TextOf = json => {
  const { peer, name, value, weight, expire } = json as MetricJson
  const shown = name === 'freespace' && weight > 0 ? sizeText(Number(weight)) : value
  return textOf([`${peer} | ${name}: ${shown} | Expires in: ${whenText(Number(expire) / 1e6, Date.now())}`])
}

export const alertText: TextOf = json => {
  const { peer, name, expire, triggered_at: triggered } = json as AlertJson
  return textOf([`${peer}: ${name}. Expired at: ${whenText(Number(expire) / 1e6, Date.now())}. Triggered at: ${whenText(Date.parse(triggered), Date.now())}`])
}

/** A row a protocol. */
export const bandwidthText: TextOf = json => textOf(Object.entries(json as Record<string, BandwidthJson>).map(([protocol, { total_in: totalIn, total_out: totalOut, rate_in: rateIn, rate_out: rateOut }]) =>
  `${protocol.padStart(25)}: In: ${sizeText(Number(totalIn)).padStart(7)}. Out: ${sizeText(Number(totalOut)).padStart(7)}. RateIn: ${rateIn.toFixed(2)}B/s. RateOut: ${rateOut.toFixed(2)}B/s`))

export const reasonText: TextOf = (json, { good, bad }) => {
  const { peer, chosen, why, detail } = json as ReasonJson
  return `${printable(peer)} | ${chosen ? good('CHOSEN') : bad('NOT CHOSEN')} | ${printable(`${why}${detail === '' ? '' : ` | ${detail}`}`)}\n`
}

/** A list that the API answers as one array: an item a line. */
export const eachText = (text: TextOf): TextOf => (json, paint) => (json as readonly unknown[]).map(item => text(item, paint)).join('')

export function errorText ({ code, message }: { readonly code: number, readonly message: string }, { bad }: Paint): string {
  return `${bad('An error occurred:')}\n  Code: ${code}\n  Message: ${printable(message)}\n`
}

const textOf = (lines: readonly string[]): string => lines.map(line => `${printable(line)}\n`).join('')
const addressLines = (addresses: readonly string[] | null): string[] => [...addresses ?? []].sort().map(address => `    - ${address}`)

/** `2026-01-31 12:00:00`, in the zone in which the API tells it. */
function dateText (time: string, unset: string): string {
  return time === zeroTime ? unset : time.slice(0, 19).replace('T', ' ')
}
