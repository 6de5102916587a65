/** What a command fails with: `code` 1 blames the client, and only then is the status 400. */
export class KuboError extends Error {
  readonly code: 0 | 1

  constructor (message: string, { code = 0, cause }: { code?: 0 | 1, cause?: unknown } = {}) {
    super(message, { cause })
    this.name = new.target.name
    this.code = code
  }
}

/** A time limit of the caller's has passed. The text is Go's, and clients look for it. */
export class DeadlineExceededError extends Error {
  constructor () {
    super('context deadline exceeded')
    this.name = new.target.name
  }
}

/** The text that a caller is told. */
export function messageOf (err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}
