import { ByteReader } from '../../api/byte-reader.ts'
import { ByteWriter } from '../../api/byte-writer.ts'
import { ClusterError, KuboRepliedError, NotEnoughPeersError } from '../../api/errors.ts'
import type { ErrorCode } from '../../api/errors.ts'

/** Complete by type; a peer of a later version may send others. */
const known: Readonly<Record<ErrorCode, true>> = {
  ERR_INVALID_ARGUMENT: true, ERR_PIN_NOT_FOUND: true, ERR_NOT_ENOUGH_PEERS: true, ERR_NO_LEADER: true, ERR_TOO_FEW_DESTINATIONS: true, ERR_OUTDATED: true,
  ERR_IPFS_UNREACHABLE: true, ERR_IPFS_REPLIED: true, ERR_STALLED: true, ERR_TIMEOUT: true, ERR_QUEUE_FULL: true, ERR_STORAGE: true, ERR_PEER_FAILED: true,
  ERR_UNKNOWN_OUTCOME: true, ERR_STORES_ONLY: true
}
const messageCharsMax = 4_096

/** Code and message, and the numbers that come with some of them. Of what is no operating error the text travels, never its stack. */
export function encodeError (error: unknown): Buffer {
  const code = error instanceof ClusterError ? error.code : 'ERR_PEER_FAILED'
  const message = error instanceof Error ? error.message : String(error)
  const numbers = error instanceof NotEnoughPeersError ? [error.needed, error.available] : error instanceof KuboRepliedError ? [error.status, error.kuboCode] : []
  const to = new ByteWriter().text(code).text(message.slice(0, messageCharsMax)).varint(numbers.length)
  for (const number of numbers) to.varint(number)
  return to.finish()
}

/** A code that is not known here arrives as ERR_PEER_FAILED with the text. @throws ClusterError ERR_STORAGE when the bytes are no error */
export function decodeError (bytes: Uint8Array): ClusterError {
  const from = new ByteReader(bytes)
  const [code, message] = [from.text(), from.text()]
  const [first, second] = Array.from({ length: Math.min(from.varint(), 2) }, () => from.varint())
  if (code === 'ERR_NOT_ENOUGH_PEERS' && first !== undefined && second !== undefined) return new NotEnoughPeersError(first, second, message)
  if (code === 'ERR_IPFS_REPLIED' && first !== undefined && second !== undefined) return new KuboRepliedError(message, { status: first, kuboCode: second })
  return new ClusterError(Object.hasOwn(known, code) ? code as ErrorCode : 'ERR_PEER_FAILED', message)
}
