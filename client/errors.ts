/** A call that failed: refused by the peer, or not answered at all. A call that was given up by its signal fails with the signal's reason instead. */
export class ClusterClientError extends Error {
  /** The HTTP status; 0 when there was no answer, or it ended before its time. */
  readonly code: number

  constructor (code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}
