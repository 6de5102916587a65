import type { CID } from 'multiformats/cid'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import { deadline } from '../cluster/async/deadline.ts'
import type { Clock } from '../cluster/clock.ts'
import type { AbortOptions } from '../cluster/ports.ts'
import type { DaemonCalls } from './daemon-calls.ts'

/** The caller's time is over already. */
const lookTimeoutMs = 500
const nodesMax = 256

/**
 * The block that Kubo's `pin/update` would have named when its time was over: it goes through both DAGs side by side, and names what it lacks there; below
 * a link that has no counterpart it names nothing.
 *
 * @returns `undefined` also where that cannot be found out quickly
 * @see boxo `ipld/merkledag/dagutils/diffenum.go`
 */
export async function stuckAt (from: CID, to: CID, { daemon, clock, signal }: AbortOptions & { readonly daemon: DaemonCalls, readonly clock: Clock }): Promise<string | undefined> {
  using limit = deadline(clock, lookTimeoutMs, 'looking for what is missing', signal)
  let nodesLeft = nodesMax
  /** `undefined` when the node is not here. */
  const linksOf = async (cid: string): Promise<readonly string[] | undefined> => {
    if (--nodesLeft < 0) throw new Error('too many nodes')
    try {
      return linksIn(await daemon.value('dag/get', { query: [['arg', cid], ['offline', 'true']], signal: limit.signal }))
    } catch (err) {
      if (err instanceof KuboRepliedError) return undefined
      throw err
    }
  }

  async function sideBySide (before: string, after: string): Promise<string | undefined> {
    const old = await linksOf(before)
    if (old === undefined) return before
    const now = await linksOf(after)
    if (now === undefined) return after
    const replaced = old.filter(link => !now.includes(link)).values()
    for (const link of now.filter(link => !old.includes(link))) {
      const { value: counterpart } = replaced.next()
      if (counterpart === undefined) continue
      const stuck = await sideBySide(counterpart, link)
      if (stuck !== undefined) return stuck
    }
    return undefined
  }

  return await sideBySide(from.toString(), to.toString()).catch(() => undefined)
}

/** Of a node as DAG-JSON says it, in its order. */
function linksIn (value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  if ('/' in value) return typeof value['/'] === 'string' ? [value['/']] : [] // else bytes
  return Object.values(value).flatMap(linksIn)
}
