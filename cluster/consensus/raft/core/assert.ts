/** A state that only a bug can bring about. The peer must stop: going on is how data is lost. */
export class RaftInvariantError extends Error {
  override get name (): string { return 'RaftInvariantError' }
}

/** Always on. `values` are added to the message only when it fails, so that a passing check costs nothing. */
export function assert (condition: boolean, claim: string, ...values: readonly number[]): asserts condition {
  if (condition) return
  throw new RaftInvariantError(values.length > 0 ? `${claim} (${values.join(', ')})` : claim)
}

export function unreachable (claim: string): never {
  throw new RaftInvariantError(claim)
}
