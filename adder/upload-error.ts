import { KuboRepliedError } from '../cluster/api/errors.ts'

/** What was uploaded cannot be added as it is; the text is Kubo's. */
export class UploadError extends Error {
  constructor (message: string) {
    super(message)
    this.name = new.target.name
  }
}

/** What the daemon would not add with, in its words, and as it would have answered. */
export class OptionsRefusedError extends KuboRepliedError {}
