import { BlockNotFoundError } from '../dag/block-service.ts'
import { KuboError } from '../rpc/kubo-error.ts'

/** What is missing in the middle of a file is not named, as in Kubo. */
export async function * fetched (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield * bytes
  } catch (err) {
    throw err instanceof BlockNotFoundError ? new KuboError('failed to fetch all nodes', { cause: err }) : err
  }
}
