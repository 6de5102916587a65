import type { CID } from 'multiformats/cid'
import { ClusterError, KuboRepliedError } from './api/errors.ts'
import type { Pin, PinOptions, Replication } from './api/pin.ts'

const nameBytesMax = 255
const cidBytesMax = 256
const metadataBytesMax = 64 << 10

export interface PinQuestion {
  readonly cid: CID
  readonly wanted: PinOptions
  readonly existing: Pin | undefined
  /** The pin that `wanted.pinUpdate` names, if the pinset has it: what was not asked for is taken over from it. */
  readonly updated: Pin | undefined
  readonly defaults: { readonly replication: Replication }
  readonly nowMs: number
}

/**
 * What to log for a wish, but for who holds it: `allocations` are those that it has already.
 *
 * @throws KuboRepliedError in Kubo's own words where Kubo refuses too; ClusterError ERR_INVALID_ARGUMENT
 */
export function draftPin ({ cid, wanted, existing, updated, defaults, nowMs }: PinQuestion): Pin {
  refuseTooLarge(cid, wanted)
  const replication = wanted.replication ?? updated?.replication ?? defaults.replication
  refuseUnknownReplication(replication)
  if (wanted.expireAtMs !== undefined && wanted.expireAtMs <= nowMs) throw new ClusterError('ERR_INVALID_ARGUMENT', 'the pin would expire before it begins')
  if (wanted.mode === 'direct' && existing?.mode === 'recursive') throw asKubo(`pin: ${cid.toString()} already pinned recursively`)

  return {
    cid,
    name: wanted.name === '' ? updated?.name ?? '' : wanted.name,
    mode: wanted.mode,
    replication,
    allocations: replication === 'everywhere' ? [] : existing?.allocations ?? updated?.allocations ?? [],
    expireAtMs: wanted.expireAtMs === undefined ? updated?.expireAtMs : Math.floor(wanted.expireAtMs),
    metadata: { ...updated?.metadata, ...wanted.metadata },
    pinUpdate: wanted.pinUpdate,
    origins: wanted.origins.length > 0 ? wanted.origins : updated?.origins ?? [],
    timestampMs: nowMs
  }
}

/** Whether logging `a` over `b` would change nothing but its time. */
export function isSamePin (a: Pin, b: Pin): boolean {
  return a.name === b.name && a.mode === b.mode && a.expireAtMs === b.expireAtMs &&
    isSameReplication(a.replication, b.replication) &&
    isSameList(a.allocations, b.allocations) && isSameList(a.origins, b.origins) &&
    isSameList(flat(a.metadata), flat(b.metadata)) &&
    (a.pinUpdate === undefined || (b.pinUpdate !== undefined && a.pinUpdate.equals(b.pinUpdate)))
}

function refuseTooLarge (cid: CID, { name, metadata }: PinOptions): void {
  const nameBytes = Buffer.byteLength(name)
  if (nameBytes > nameBytesMax) throw asKubo(`pin name is ${nameBytes} bytes (max ${nameBytesMax} bytes)`)
  if (cid.byteLength > cidBytesMax) throw new ClusterError('ERR_INVALID_ARGUMENT', `a CID of ${cid.byteLength} bytes is longer than ${cidBytesMax} bytes`)
  const metadataBytes = flat(metadata).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (metadataBytes > metadataBytesMax) throw new ClusterError('ERR_INVALID_ARGUMENT', `metadata of ${metadataBytes} bytes is longer than ${metadataBytesMax} bytes`)
}

function refuseUnknownReplication (replication: Replication): void {
  if (replication === 'everywhere') return
  const { min, max } = replication
  const isValid = Number.isSafeInteger(min) && Number.isSafeInteger(max) && min >= 1 && min <= max
  if (!isValid) throw new ClusterError('ERR_INVALID_ARGUMENT', `replication from ${min} to ${max}: expected 1 <= min <= max`)
}

/** Refused here before the daemon is asked, with what it would have said. */
function asKubo (message: string): KuboRepliedError {
  return new KuboRepliedError(message, { status: 500, kuboCode: 0 })
}

function isSameReplication (a: Replication, b: Replication): boolean {
  if (a === 'everywhere' || b === 'everywhere') return a === b
  return a.min === b.min && a.max === b.max
}

function isSameList (a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}

function flat (metadata: Readonly<Record<string, string>>): string[] {
  return Object.entries(metadata).sort(([a], [b]) => a < b ? -1 : 1).flat()
}
