import type { CID } from 'multiformats/cid'
import type { AbortOptions } from '../ports.ts'
import type { Requests } from './requests.ts'

const timeoutMs = 10_000

/** How many bytes all below a CID take, as its root says: of UnixFS only, and of no other. The daemon fetches that one block if it lacks it. @throws the signal's reason */
export async function cumulativeSize (requests: Pick<Requests, 'json'>, cid: CID, { signal }: AbortOptions): Promise<number | undefined> {
  try {
    const { CumulativeSize } = await requests.json<{ CumulativeSize: number }>('files/stat', { query: [['arg', `/ipfs/${cid.toString()}`]], signal, timeoutMs })
    return CumulativeSize
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}
