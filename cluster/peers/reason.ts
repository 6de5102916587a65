import { ClusterError, OtherSecretError } from '../api/errors.ts'

/** What went wrong, in words: of a dial to several addresses what was said at each, once. libp2p also throws what has no message, and nothing at all. */
export function reasonOf (err: unknown): string {
  const said = new Set(leavesOf(err).map(textOf).filter(text => text !== ''))
  return said.size === 0 ? 'the connection ended' : [...said].join('; ')
}

/** The failure to reach a peer. One that has another secret stays told apart from one that is away. */
export function unreached (what: string, err: unknown): ClusterError {
  const message = `${what}: ${reasonOf(err)}`
  const isOtherSecret = leavesOf(err).some(leaf => leaf instanceof OtherSecretError)
  return isOtherSecret ? new OtherSecretError(message, { cause: err }) : new ClusterError('ERR_PEER_FAILED', message, { cause: err })
}

function leavesOf (err: unknown): readonly unknown[] {
  return err instanceof AggregateError && err.errors.length > 0 ? err.errors.flatMap(leavesOf) : [err]
}

function textOf (leaf: unknown): string {
  if (!(leaf instanceof Error)) return String(leaf ?? '')
  return leaf.message || (leaf.name === 'Error' ? '' : leaf.name)
}
