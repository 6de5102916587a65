/** What a PeerRpc promises of values, items and errors on their way. */
import { ClusterError, KuboRepliedError, NotEnoughPeersError } from '../../cluster/api/errors.ts'
import type { TrackerStatus } from '../../cluster/api/pin-info.ts'
import type { PeerId } from '../../cluster/api/pin.ts'
import type { ImportItem } from '../../cluster/peer-ports.ts'
import { asSource, block, cid, kib, mib, pinned, settled } from './peer-rpc-kit.ts'
import type { RpcTest } from './peer-rpc-kit.ts'

export function travelling (test: RpcTest, signal: AbortSignal): void {
  test('a call has its argument there and its answer here, whole', async (t, network) => {
    const seen: Array<readonly [string, PeerId]> = []
    const b = await network.peer({ 'PinTracker.Status': async (asked, { peer }) => { seen.push([asked.toString(), peer]); return pinned(b.id, 'näme') } })
    const a = await network.peer({})

    t.strictSame(await a.rpc.call(b.id, 'PinTracker.Status', cid, { signal }), pinned(b.id, 'näme'))
    t.strictSame(seen, [[cid.toString(), a.id]])
  })

  test('many calls share what there is, and each has its own answer, in whatever order', async (t, network) => {
    const first = Promise.withResolvers<void>()
    const b = await network.peer({
      'PinTracker.Status': async () => { await first.promise; return pinned(b.id, 'late') },
      'IpfsConnector.SwarmAddresses': async () => ['/ip4/1.2.3.4/tcp/4001']
    })
    const a = await network.peer({})

    const late = a.rpc.call(b.id, 'PinTracker.Status', cid, { signal })
    const early = await Promise.all(Array.from({ length: 500 }, () => a.rpc.call(b.id, 'IpfsConnector.SwarmAddresses', undefined, { signal })))
    first.resolve()

    t.equal(early.length, 500)
    t.equal((await late).name, 'late')
  })

  test('what the other peer throws keeps its code, its message and its numbers; what is no error of ours is ERR_PEER_FAILED with the text', async (t, network) => {
    const thrown = [
      new ClusterError('ERR_OUTDATED', 'somebody was faster'), new NotEnoughPeersError(3, 1), new KuboRepliedError('merkledag: not found', { status: 500, kuboCode: 0 }),
      new TypeError('a bug'), Object.assign(new ClusterError('ERR_STORAGE', 'of a later version'), { code: 'ERR_NEWER' })
    ]
    const b = await network.peer({ 'PinTracker.Recover': async () => { throw thrown.shift()! } })
    const a = await network.peer({})
    const call = (): Promise<unknown> => a.rpc.call(b.id, 'PinTracker.Recover', cid, { signal })

    await t.rejects(call(), { code: 'ERR_OUTDATED', message: 'somebody was faster' })
    await t.rejects(call(), { code: 'ERR_NOT_ENOUGH_PEERS', needed: 3, available: 1 })
    await t.rejects(call(), { code: 'ERR_IPFS_REPLIED', message: 'merkledag: not found', status: 500, kuboCode: 0 })
    await t.rejects(call(), { code: 'ERR_PEER_FAILED', message: 'a bug' })
    await t.rejects(call(), { code: 'ERR_PEER_FAILED', message: 'of a later version' })
  })

  test('items come in order, and an error after some of them comes after them', async (t, network) => {
    const b = await network.peer({
      'PinTracker.StatusAll': async function * (filter) {
        for (let i = 0; i < 2_000; i++) yield pinned(b.id, String(i))
        if (filter.length > 0) throw new ClusterError('ERR_STORAGE', filter.join())
      }
    })
    const a = await network.peer({})
    const take = async (filter: readonly TrackerStatus[], names: string[]): Promise<void> => {
      for await (const { name } of a.rpc.pull(b.id, 'PinTracker.StatusAll', filter, { signal })) names.push(name)
    }
    const [whole, broken]: [string[], string[]] = [[], []]

    await take([], whole)
    await t.rejects(take(['pinned', 'pin_error'], broken), { code: 'ERR_STORAGE', message: 'pinned,pin_error' })

    t.strictSame(whole, Array.from({ length: 2_000 }, (_, i) => String(i)))
    t.strictSame(broken, whole)
  })

  test('a pull that nobody reads stops its producer', async (t, network) => {
    let made = 0
    const b = await network.peer({
      'IpfsConnector.RepoGc': async function * () { for (; made < 5_000; made++) yield { key: 'k'.repeat(16 * kib), error: '' } }
    })
    const a = await network.peer({})

    const items = a.rpc.pull(b.id, 'IpfsConnector.RepoGc', undefined, { signal })[Symbol.asyncIterator]()
    await items.next()
    const held = await settled(() => made)
    let read = 1
    while ((await items.next()).done !== true) read++

    t.ok(held * 16 * kib <= 8 * mib, `${held} of 5,000 were made before anybody read`)
    t.equal(read, 5_000)
  })

  test('a push moves at the pace of the other side, and loses nothing at its end', async (t, network) => {
    const gate = Promise.withResolvers<void>()
    let taken = 0
    let sent = 0
    const b = await network.peer({
      'IpfsConnector.ImportBlocks': async source => {
        for await (const item of source) {
          if ('bytes' in item) taken += item.bytes.byteLength
          await gate.promise
        }
        return []
      }
    })
    const a = await network.peer({})
    const source = async function * (): AsyncGenerator<ImportItem> {
      for (let i = 0; i < 256; i++) {
        sent += 256 * kib
        yield block(256 * kib, i)
      }
      yield { roots: [{ cid, name: 'root' }] }
    }

    const pushing = a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', source(), { signal })
    const inFlight = await settled(() => sent)
    gate.resolve()

    t.strictSame(await pushing, [])
    t.ok(inFlight <= 8 * mib, `${inFlight / mib} MiB were taken from the source before the other side read`)
    t.equal(taken, 64 * mib)
  })

  test('what is pushed arrives as it was, and its answer carries values', async (t, network) => {
    const items: ImportItem[] = []
    const b = await network.peer({
      'IpfsConnector.ImportBlocks': async source => {
        for await (const item of source) items.push(item)
        return [{ cid, error: new Error('not that one') }]
      }
    })
    const a = await network.peer({})

    const unpinned = await a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', asSource<ImportItem>([{ delivery: 'import 7', timeoutMs: 5, unannounced: ['root'] }, block(3), block(0), { roots: [{ cid, name: 'x' }] }]), { signal })

    t.strictSame(items.map(item => 'roots' in item ? item.roots.map(({ name }) => name) : 'cid' in item ? [...item.bytes] : item), [{ delivery: 'import 7', timeoutMs: 5, unannounced: ['root'] }, [1, 1, 1], [], ['x']])
    t.strictSame(unpinned.map(({ cid, error }) => [cid.toString(), error.message]), [[cid.toString(), 'not that one']])
  })

  test('a handler that has had enough ends the push with its error, though the source has more', async (t, network) => {
    const b = await network.peer({ 'IpfsConnector.ImportBlocks': async source => { for await (const _ of source) throw new ClusterError('ERR_IPFS_UNREACHABLE', 'daemon gone'); return [] } })
    const a = await network.peer({})
    const wasClosed = Promise.withResolvers<void>()
    const endless = async function * (): AsyncGenerator<ImportItem> {
      try { for (;;) yield block(64 * kib) } finally { wasClosed.resolve() }
    }

    await t.rejects(a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', endless(), { signal }), { code: 'ERR_IPFS_UNREACHABLE', message: 'daemon gone' })
    await wasClosed.promise
  })

  test('a source that fails fails on the other side too, and its error is thrown here', async (t, network) => {
    const there = Promise.withResolvers<unknown>()
    const begun = Promise.withResolvers<void>()
    const b = await network.peer({
      'IpfsConnector.ImportBlocks': async source => {
        try { for await (const _ of source) begun.resolve(); there.resolve(undefined) } catch (err) { there.resolve(err) }
        return []
      }
    })
    const a = await network.peer({})
    const failing = async function * (): AsyncGenerator<ImportItem> {
      yield block(10)
      await begun.promise
      throw new ClusterError('ERR_TOO_FEW_DESTINATIONS', 'given up')
    }

    await t.rejects(a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', failing(), { signal }), { code: 'ERR_TOO_FEW_DESTINATIONS', message: 'given up' })
    t.match(await there.promise, { code: 'ERR_PEER_FAILED' })
  })
}
