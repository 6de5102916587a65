import { ClusterError } from '../../api/errors.ts'

/** As gRPC numbers them. */
export const grpc = { invalidArgument: 3, notFound: 5, permissionDenied: 7, resourceExhausted: 8, failedPrecondition: 9, outOfRange: 11, unavailable: 14, unauthenticated: 16 } as const

/** etcd answered, and did not do it: it is of no use to ask another member. */
export class EtcdRefusedError extends Error {
  readonly code: number

  constructor (code: number, message: string) {
    super(message)
    this.name = 'EtcdRefusedError'
    this.code = code
  }
}

/** No member of etcd answered in time. */
export class EtcdAwayError extends Error {
  /** Whether one may have carried out what it was asked. */
  readonly mayHaveReached: boolean

  constructor (message: string, { cause, mayHaveReached = true }: ErrorOptions & { readonly mayHaveReached?: boolean } = {}) {
    super(message, { cause })
    this.name = 'EtcdAwayError'
    this.mayHaveReached = mayHaveReached
  }
}

/** What is over by itself soon, or at another member: no leader just now, one that is starting or overloaded. */
export function isPassing (err: unknown): boolean {
  if (!(err instanceof EtcdRefusedError)) return true
  if (err.code === grpc.resourceExhausted) return !isFull(err)
  return err.code === grpc.unavailable || err.code === 4 || err.code === 13 || err.code === 10 || (err.code === 2 && !/permission/.test(err.message))
}

export const isFull = (err: unknown): boolean => err instanceof EtcdRefusedError && /database space exceeded/.test(err.message)
export const isCompacted = (err: unknown): boolean => err instanceof EtcdRefusedError && /compacted/.test(err.message)
/** The token that stood for the user is forgotten there, or was given before users were changed. */
export const isTokenGone = (err: unknown): boolean => err instanceof EtcdRefusedError && /invalid auth token|revision of auth store is old|user name is empty/.test(err.message)

/** What stands between etcd and a caller who knows nothing of it. `what` says what has not happened. */
export function inTheClustersWords (err: unknown, what: string): unknown {
  if (err instanceof EtcdAwayError) return new ClusterError('ERR_NO_LEADER', `${what}: ${err.message}`, { cause: err })
  if (!(err instanceof EtcdRefusedError)) return err
  if (isFull(err)) return new ClusterError('ERR_STORAGE', `${what}: etcd's database is full (${err.message}). What is there can still be read. Have it compacted and defragmented, or its --quota-backend-bytes raised, then "etcdctl alarm disarm"`, { cause: err })
  if (err.code === grpc.permissionDenied) return new ClusterError('ERR_STORES_ONLY', `${what}: etcd does not let this peer's user write there (${err.message}); a peer that only stores has such a role`, { cause: err })
  return new ClusterError('ERR_INVALID_ARGUMENT', `${what}: etcd refuses it: ${err.message}`, { cause: err })
}
