/** What etcd's JSON gateway takes and gives: bytes in base64, whole numbers as texts, what is zero left out. */
export interface Header { readonly cluster_id: string, readonly revision: string }
export interface KeyValue { readonly key: string, readonly value?: string, readonly mod_revision: string, readonly create_revision?: string }
export interface RangeAnswer { readonly header: Header, readonly kvs?: readonly KeyValue[], readonly more?: boolean }
export interface TxnAnswer { readonly header: Header, readonly succeeded?: boolean, readonly responses?: readonly TxnResponse[] }
export interface TxnResponse { readonly response_range?: RangeAnswer, readonly response_txn?: TxnAnswer }
export interface WatchEvent { readonly type?: 'DELETE', readonly kv: KeyValue }
export interface WatchAnswer {
  readonly header: Header
  readonly created?: boolean
  readonly canceled?: boolean
  /** The watch begins before what etcd still knows of. */
  readonly compact_revision?: string
  readonly cancel_reason?: string
  readonly events?: readonly WatchEvent[]
}

export interface Range { readonly key: string, readonly range_end?: string, readonly revision?: string, readonly limit?: number }
export interface Compare { readonly key: string, readonly target: 'MOD' | 'CREATE', readonly mod_revision?: string, readonly create_revision?: string, readonly result: 'EQUAL' | 'GREATER' }
export type TxnOp =
  | { readonly request_put: { readonly key: string, readonly value: string, readonly lease?: string } }
  | { readonly request_delete_range: { readonly key: string, readonly range_end?: string } }
  | { readonly request_range: Range }
  | { readonly request_txn: Txn }
export interface Txn { readonly compare?: readonly Compare[], readonly success: readonly TxnOp[], readonly failure?: readonly TxnOp[] }

export const toWire = (bytes: Uint8Array | string): string => Buffer.from(bytes as string).toString('base64')
export const fromWire = (text = ''): Buffer => Buffer.from(text, 'base64')
export const revisionOf = ({ revision }: Header): bigint => BigInt(revision)

/** All keys that begin with `prefix`. */
export function under (prefix: string): { readonly key: string, readonly range_end: string } {
  const end = Buffer.from(prefix)
  end[end.length - 1]! += 1 // an ASCII character, for prefixes end on a slash
  return { key: toWire(prefix), range_end: toWire(end) }
}

export const put = (key: string, value: Uint8Array | string, lease?: string): TxnOp => ({ request_put: { key, value: toWire(value), ...lease !== undefined && { lease } } })
export const remove = (key: string): TxnOp => ({ request_delete_range: { key } })
export const read = (key: string): TxnOp => ({ request_range: { key } })
/** Holds while the key is as it was written at that revision; 0n: while there is none. */
export const isAt = (key: string, revision: bigint): Compare => ({ key, target: 'MOD', mod_revision: String(revision), result: 'EQUAL' })
