import type { CID } from 'multiformats/cid'
import { ClusterError } from './api/errors.ts'
import type { PeerId } from './api/pin.ts'
import type { Clock } from './clock.ts'
import type { ImportItem, PeerRpc } from './peer-ports.ts'
import type { AbortOptions, Block, DeliveryCall, IpfsConnector, NamedRoot, PinTracker, UnpinnedRoot } from './ports.ts'

/** A daemon that was told what to pin is let finish for so long though who asked is gone: what it does with a request that is broken off nobody would hear. */
const finishMs = 30_000

/** `IpfsConnector.importBlocks` on another peer's daemon. */
export async function pushBlocks (
  rpc: Pick<PeerRpc, 'push'>, peer: PeerId, blocks: AsyncIterable<Block>, roots: Promise<readonly NamedRoot[]>, { delivery, timeoutMs = 0, unannounced = [], signal }: DeliveryCall
): Promise<readonly UnpinnedRoot[]> {
  async function * items (): AsyncGenerator<ImportItem, void, undefined> {
    yield { delivery, timeoutMs: Math.ceil(timeoutMs), unannounced }
    yield * blocks
    yield { roots: await roots }
  }
  return await rpc.push(peer, 'IpfsConnector.ImportBlocks', items(), { signal })
}

export interface ImportingComponents {
  readonly ipfs: Pick<IpfsConnector, 'importBlocks'>
  readonly tracker: Pick<PinTracker, 'expect' | 'expectDelivery'>
  readonly clock: Clock
}

/**
 * The other side: what a peer pushes goes to this peer's daemon at its pace. The tracker learns of the import before the pin can be agreed,
 * and of its roots before the daemon does, so that what is pinned here is known to be this peer's own.
 */
export async function takeBlocks ({ ipfs, tracker, clock }: ImportingComponents, source: AsyncIterable<ImportItem>, { signal }: AbortOptions): Promise<readonly UnpinnedRoot[]> {
  const items = source[Symbol.asyncIterator]()
  const { done, value: head } = await items.next()
  if (done === true || !('delivery' in head)) throw new ClusterError('ERR_INVALID_ARGUMENT', 'an import begins with its name')
  const roots = Promise.withResolvers<readonly NamedRoot[]>()
  const ended = Promise.withResolvers<readonly CID[]>()
  for (const promise of [roots.promise, ended.promise]) promise.catch(() => {}) // who waits for it hears of it
  tracker.expectDelivery(head.delivery, ended.promise)
  using patience = new DisposableStack()
  const ending = new AbortController()
  let isNamed = false
  const end = (): void => { ending.abort(signal.reason) }
  const onGone = (): void => {
    if (isNamed) patience.use(clock.after(finishMs, end))
    else end()
  }
  patience.adopt(onGone, () => { signal.removeEventListener('abort', onGone) })
  signal.addEventListener('abort', onGone, { once: true })
  if (signal.aborted) end()

  async function * blocks (): AsyncGenerator<Block, void, undefined> {
    try {
      for (let next = await items.next(); next.done !== true; next = await items.next()) {
        if ('cid' in next.value) yield next.value
        else if ('roots' in next.value) {
          const named = await expected(next.value.roots)
          isNamed = true
          return roots.resolve(named)
        } else throw new ClusterError('ERR_INVALID_ARGUMENT', 'an import has one name')
      }
      throw new ClusterError('ERR_INVALID_ARGUMENT', 'an import ends with its roots')
    } catch (err) {
      roots.reject(err)
      throw err
    }
  }

  async function expected (named: readonly NamedRoot[]): Promise<readonly NamedRoot[]> {
    await Promise.all(named.map(async ({ cid }) => { await tracker.expect(cid, ended.promise.then(pinned => { assertAmong(pinned, cid) }), { signal }) }))
    return named
  }

  try {
    const unpinned = await ipfs.importBlocks(blocks(), roots.promise, { signal: ending.signal, unannounced: head.unannounced ?? [], ...head.timeoutMs > 0 && { timeoutMs: head.timeoutMs } })
    ended.resolve((await roots.promise).map(({ cid }) => cid).filter(cid => !unpinned.some(root => root.cid.equals(cid))))
    return unpinned
  } catch (err) {
    ended.reject(err)
    throw err
  } finally {
    await items.return?.()
  }
}

function assertAmong (pinned: readonly CID[], cid: CID): void {
  if (!pinned.some(one => one.equals(cid))) throw new Error('the daemon did not pin it')
}
