/** The CAR, or a block in it, is not good; the text is Kubo's. */
export class CarError extends Error {
  constructor (message: string) {
    super(message)
    this.name = new.target.name
  }
}
