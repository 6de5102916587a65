import { CarError } from '../../adder/car-error.ts'
import { OptionsRefusedError, UploadError } from '../../adder/upload-error.ts'
import { ClusterError } from '../api/errors.ts'
import type { ErrorCode } from '../api/errors.ts'
import { MultipartError } from '../api/kubo/multipart.ts'

/** As ipfs-cluster: 404 for a pin that is not there, 500 for all that fails; 400 for what was asked wrongly, wherever that is found out; 403 for what a peer that only stores may not. */
const statuses = {
  ERR_INVALID_ARGUMENT: 400,
  ERR_PIN_NOT_FOUND: 404,
  ERR_NOT_ENOUGH_PEERS: 500,
  ERR_NO_LEADER: 500,
  ERR_TOO_FEW_DESTINATIONS: 500,
  ERR_OUTDATED: 500,
  ERR_IPFS_UNREACHABLE: 500,
  ERR_IPFS_REPLIED: 500,
  ERR_STALLED: 500,
  ERR_TIMEOUT: 500,
  ERR_QUEUE_FULL: 500,
  ERR_STORAGE: 500,
  ERR_PEER_FAILED: 500,
  ERR_UNKNOWN_OUTCOME: 500,
  ERR_STORES_ONLY: 403
} as const satisfies Record<ErrorCode, number>

/** Go clients tell a missing pin by this text. */
const notFoundText = 'pin is not part of the pinset'

export interface RestError { readonly code: number, readonly message: string }

/** Refused by the edge itself, before the cluster is asked. */
export class RefusedError extends Error {
  readonly status: number

  constructor (status: number, message: string) {
    super(message)
    this.name = new.target.name
    this.status = status
  }
}

/** Any error as `{"code", "message"}`, whose code is the HTTP status. */
export function restError (err: unknown): RestError {
  if (err instanceof RefusedError) return { code: err.status, message: err.message }
  if (isWrongUpload(err)) return { code: 400, message: err.message }
  if (err instanceof ClusterError) return { code: statuses[err.code], message: err.code === 'ERR_PIN_NOT_FOUND' ? notFoundText : err.message }
  const { statusCode, message } = err as { statusCode?: number, message?: string }
  return { code: statusCode !== undefined && statusCode >= 400 ? statusCode : 500, message: message ?? String(err) }
}

/** What was uploaded, or how it is to be added. */
function isWrongUpload (err: unknown): err is Error {
  return [MultipartError, CarError, UploadError, OptionsRefusedError].some(kind => err instanceof kind)
}
