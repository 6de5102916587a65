import type { Pin } from '../api/pin.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions, IpfsConnector } from '../ports.ts'
import { cidKey } from '../api/cid-key.ts'
import { joinSignals } from '../async/join-signals.ts'
import type { Operation } from './operations.ts'
import type { Held, TrackerIndex } from './tracker-index.ts'

export interface RunnerComponents { readonly ipfs: IpfsConnector, readonly index: TrackerIndex, readonly clock: Clock }

/**
 * Brings one pin to the daemon. Before the daemon is asked it is noted whether it had the pin already, so that a peer killed in
 * between still knows later what is its own.
 *
 * @returns what is to be noted once it is done
 */
export async function runPin ({ ipfs, index, clock }: RunnerComponents, operation: Operation): Promise<Held> {
  const { signal } = operation.cancelling
  const pin = operation.pin!
  const key = cidKey(pin.cid)
  const found = await operation.found ?? await ipfs.pinStatus(pin.cid, { signal })
  const known = index.held(key)
  const isThere = found.status !== 'unpinned'
  const before = known !== undefined && (isThere || known.before === undefined) ? known.before : isThere ? { mode: found.status, name: found.name } : undefined
  const held = { before, isConfirmed: true, sinceMs: clock.now() }
  if (found.status === pin.mode && found.name === pin.name) return held

  const unnoted = new AbortController()
  using noted = joinSignals(signal, unnoted.signal)
  const noting = known === undefined ? index.hold(key, { ...held, isConfirmed: false }) : Promise.resolve()
  noting.catch(err => unnoted.abort(err)) // what cannot be noted must not be pinned
  await ipfs.pin(pin, { ...operation.announcing, signal: noted.signal, onProgress: progress => report(operation, progress) })
  await noting
  return held
}

/** Lets go of one pin: of what this peer pinned itself, and of all else only when a user asked for it; otherwise it is put back as it was. */
export async function runUnpin ({ ipfs, index }: RunnerComponents, operation: Operation): Promise<void> {
  const { signal } = operation.cancelling
  const held = index.held(cidKey(operation.cid))
  const isOwn = held !== undefined && held.before === undefined
  if (operation.asked || isOwn) await ipfs.unpin(operation.cid, { signal })
  else if (held?.before !== undefined) await putBack(ipfs, operation, held.before, { signal })
}

export function report (operation: Operation, progress: { readonly nodes: number, readonly bytes: number }): void {
  operation.progress = progress
  for (const watch of operation.watchers) watch(progress)
}

/** Whoever unpinned it on the daemon meanwhile wanted that. */
async function putBack (ipfs: IpfsConnector, { cid }: Operation, { mode, name }: Pick<Pin, 'mode' | 'name'>, { signal }: AbortOptions): Promise<void> {
  const found = await ipfs.pinStatus(cid, { signal })
  if (found.status === 'unpinned' || (found.status === mode && found.name === name)) return
  if (found.status === 'recursive' && mode === 'direct') await ipfs.unpin(cid, { signal })
  await ipfs.pin({ cid, mode, name, replication: 'everywhere', allocations: [], expireAtMs: undefined, metadata: {}, pinUpdate: undefined, origins: [], timestampMs: 0 }, { signal })
}
