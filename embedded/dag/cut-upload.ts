/** Input that ends where more has to come. Go's text. */
export class CutUploadError extends Error {
  constructor () {
    super('unexpected EOF')
    this.name = new.target.name
  }
}
