import type { Pin } from './api/pin.ts'
import type { AbortOptions, PinsetReader } from './ports.ts'

/** Pins that are read at once. */
const pinsPerPage = 500

/** The pinset in parts, none of which is being read while it is looked through: for who changes it on the way, or takes long over each pin. */
export async function * pinPages (state: Pick<PinsetReader, 'list'>, { signal }: AbortOptions): AsyncGenerator<readonly Pin[], void, undefined> {
  let page: Pin[] = []
  do {
    const after = page.at(-1)?.cid
    page = []
    for await (const pin of state.list({ after, signal })) {
      page.push(pin)
      if (page.length === pinsPerPage) break
    }
    yield page
  } while (page.length === pinsPerPage)
}
