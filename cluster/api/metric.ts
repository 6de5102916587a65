import { goTime } from './go-time.ts'
import type { PeerId } from './pin.ts'

/**
 * What a peer measured of itself, as it travels: with the time that it is good for, never a point in time, because clocks differ and
 * a peer whose clock is wrong is neither dead nor eternal.
 */
export interface Measurement {
  readonly name: string
  /** What was measured, as text; for what could not be, why not. */
  readonly value: string
  /** Larger is better; a safe integer. */
  readonly weight: number
  /** False for what could not be measured. */
  readonly isValid: boolean
  /** Whether peers with the same value form a group, as with tags. */
  readonly isPartitionable: boolean
  readonly ttlMs: number
}

/** A measurement as this peer got it, in the time of its own clock. */
export interface Metric extends Omit<Measurement, 'ttlMs'> {
  /** Who measured it: the peer that the connection is authenticated as. */
  readonly peer: PeerId
  readonly receivedAtMs: number
  readonly expireAtMs: number
}

/** A member and what it last said of itself, by the metric's name. */
export interface MeasuredPeer { readonly peer: PeerId, readonly metrics: ReadonlyMap<string, Metric> }

/** A metric that was not renewed in time, or says that it could not be measured. */
export interface Alert {
  readonly metric: Metric
  readonly triggeredAtMs: number
}

/** Name of the metric that says that a peer is there. */
export const pingName = 'ping'

/** Name of the metric that says whether a peer's clock is in step; there is none before it was out of step once. */
export const clockName = 'clock'

/** What a ping says besides that the peer is there. */
export interface PingValue {
  readonly peername: string
  /** Of the peer's daemon; empty when it did not answer. */
  readonly ipfsId: string
  readonly ipfsAddresses: readonly string[]
  /** What its clock says when the ping's time is up, in ms since the epoch, however often it was told meanwhile: to be compared with others. An addition. */
  readonly clockAtEndMs: number | undefined
}

/** Whether it can be relied on at `nowMs`. */
export function isGood (metric: Metric, nowMs: number): boolean {
  return metric.isValid && metric.expireAtMs > nowMs
}

/** ipfs-cluster's Metric object: times are nanoseconds since the epoch, as integers that no double holds. */
export function metricToJson ({ name, peer, value, weight, isValid, isPartitionable, receivedAtMs, expireAtMs }: Metric): object {
  return { name, peer, value, expire: nanoseconds(expireAtMs), valid: isValid, weight, partitionable: isPartitionable, received_at: nanoseconds(receivedAtMs) }
}

/** ipfs-cluster's Alert object: the metric's keys, and when it was raised. */
export function alertToJson ({ metric, triggeredAtMs }: Alert): object {
  return { ...metricToJson(metric), triggered_at: goTime(triggeredAtMs) }
}

/** The value of a ping, as ipfs-cluster spells it. */
export function pingToText ({ peername, ipfsId, ipfsAddresses, clockAtEndMs }: PingValue): string {
  return JSON.stringify({ peer_name: peername, ipfs_id: ipfsId, ipfs_addresses: ipfsAddresses, clock_at_end: clockAtEndMs })
}

/** The way back; what another peer made up wrongly says nothing. */
export function pingFromText (text: string): PingValue {
  const { peer_name: name, ipfs_id: id, ipfs_addresses: addresses, clock_at_end: clockAtEndMs } = objectOf(text)
  return {
    peername: textOf(name),
    ipfsId: textOf(id),
    ipfsAddresses: Array.isArray(addresses) ? addresses.filter(item => typeof item === 'string') : [],
    clockAtEndMs: Number.isSafeInteger(clockAtEndMs) ? clockAtEndMs as number : undefined
  }
}

/** What is told of a clock that is out of step with the others'. */
export function outOfStepText (aheadMs: number): string {
  return `this machine's clock is ${Math.round(Math.abs(aheadMs) / 1_000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the other peers'`
}

/** Node has it; TypeScript's library does not list it yet. */
const { rawJSON } = JSON as unknown as { rawJSON (text: string): unknown }

function nanoseconds (ms: number): unknown {
  return rawJSON(String(BigInt(Math.floor(ms)) * 1_000_000n))
}

function objectOf (text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}
  } catch {
    return {}
  }
}

const textOf = (value: unknown): string => typeof value === 'string' ? value : ''
