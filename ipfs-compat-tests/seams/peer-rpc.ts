/** What a PeerRpc promises, asked of whatever network is given. */
import { CID } from 'multiformats/cid'
import type { Test } from 'tap'
import { ClusterError, KuboRepliedError, NotEnoughPeersError } from '../../cluster/api/errors.ts'
import type { PinInfo, TrackerStatus } from '../../cluster/api/pin-info.ts'
import type { PeerId } from '../../cluster/api/pin.ts'
import type { Trust } from '../../cluster/peers/rpc/policy.ts'
import { callProtocol, streamProtocol } from '../../cluster/peers/rpc/protocols.ts'
import type { RpcCaller, RpcHandlers } from '../../cluster/peer-ports.ts'
import type { ImportItem, PeerRpc, PeerStreams } from '../../cluster/peer-ports.ts'

export interface RpcPeer {
  readonly id: PeerId
  readonly rpc: PeerRpc
  readonly streams: PeerStreams
  /** As if its process had died. */
  kill (): Promise<void>
}

export interface RpcNetwork {
  /** Whom all others know the address of. */
  peer (handlers: Partial<RpcHandlers>, trustOf?: (peer: PeerId) => Trust): Promise<RpcPeer>
}

const cid = CID.parse('bafkqaaa')
const kib = 1_024
const mib = 1_024 * kib
const pinned = (peer: PeerId, name: string): PinInfo => ({ cid, name, peer, status: 'pinned', timestampMs: 5, error: '', attemptCount: 2, isPriority: true })

export function peerRpcSuite (t: Test, createNetwork: (t: Test) => Promise<RpcNetwork>): void {
  const signal = AbortSignal.timeout(60_000)
  const test = (title: string, body: (t: Test, network: RpcNetwork) => Promise<void>): void => {
    void t.test(title, async t => { await body(t, await createNetwork(t)) })
  }
  const block = (bytes: number, fill = 1): ImportItem => ({ cid, bytes: new Uint8Array(bytes).fill(fill) })

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

    const unpinned = await a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', asSource<ImportItem>([{ delivery: 'import 7', timeoutMs: 5 }, block(3), block(0), { roots: [{ cid, name: 'x' }] }]), { signal })

    t.strictSame(items.map(item => 'roots' in item ? item.roots.map(({ name }) => name) : 'cid' in item ? [...item.bytes] : item), [{ delivery: 'import 7', timeoutMs: 5 }, [1, 1, 1], [], ['x']])
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

  test('what is given up here is given up there: a call, a pull, a push, and a pull whose loop is left', async (t, network) => {
    const aborted: string[] = []
    const all = Promise.withResolvers<void>()
    const started = new Map(['call', 'pull', 'push'].map(name => [name, Promise.withResolvers<void>()]))
    const whenAborted = async (name: string, { signal }: RpcCaller): Promise<void> => {
      started.get(name)?.resolve()
      if (!signal.aborted) await new Promise(resolve => { signal.addEventListener('abort', resolve, { once: true }) })
      if (aborted.push(name) === 4) all.resolve()
    }
    const b = await network.peer({
      'PinTracker.Status': async (_, caller) => { await whenAborted('call', caller); throw new Error('too late') },
      'IpfsConnector.RepoGc': async function * (_, caller) { await whenAborted('pull', caller) },
      'IpfsConnector.ImportBlocks': async (_, caller) => { await whenAborted('push', caller); return [] },
      'PinTracker.RecoverAll': async function * (_, caller) { yield pinned(b.id, ''); await whenAborted('left', caller) }
    })
    const a = await network.peer({})
    const controller = new AbortController()
    const waits = async function * (): AsyncGenerator<ImportItem> { await new Promise(() => {}) }

    const given = { signal: controller.signal }
    const calls: Array<Promise<unknown>> = [
      a.rpc.call(b.id, 'PinTracker.Status', cid, given), Array.fromAsync(a.rpc.pull(b.id, 'IpfsConnector.RepoGc', undefined, given)),
      a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', waits(), given)
    ]
    for (const { promise } of started.values()) await promise
    controller.abort(new Error('not wanted any more'))
    for (const call of calls) await t.rejects(call, { message: 'not wanted any more' })
    for await (const _ of a.rpc.pull(b.id, 'PinTracker.RecoverAll', undefined, { signal })) break

    await all.promise
    t.strictSame(aborted.toSorted(), ['call', 'left', 'pull', 'push'])
    await t.rejects(a.rpc.call(b.id, 'PinTracker.Status', cid, given), { message: 'not wanted any more' })
  })

  test('a peer that dies fails what it was asked, at once, and nothing else', async (t, network) => {
    const never = async (_: unknown, { signal }: RpcCaller): Promise<never> => await new Promise((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) })
    const b = await network.peer({ 'PinTracker.Status': never, 'IpfsConnector.RepoGc': async function * (_, caller) { yield { key: '', error: '' }; await never(_, caller) }, 'IpfsConnector.ImportBlocks': never })
    const c = await network.peer({ 'IpfsConnector.SwarmAddresses': async () => ['here'] })
    const a = await network.peer({})
    const endless = async function * (): AsyncGenerator<ImportItem> { for (;;) yield block(64 * kib) }
    const pull = a.rpc.pull(b.id, 'IpfsConnector.RepoGc', undefined, { signal })[Symbol.asyncIterator]()
    await pull.next()

    const calls: Array<Promise<unknown>> = [a.rpc.call(b.id, 'PinTracker.Status', cid, { signal }), pull.next(), a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', endless(), { signal })]
    const told = calls.map(call => t.rejects(call, { code: 'ERR_PEER_FAILED' }))
    await a.rpc.call(c.id, 'IpfsConnector.SwarmAddresses', undefined, { signal })
    await b.kill()
    await Promise.all(told)

    t.strictSame(await a.rpc.call(c.id, 'IpfsConnector.SwarmAddresses', undefined, { signal }), ['here'])
    await t.rejects(a.rpc.call(b.id, 'PinTracker.Status', cid, { signal }), { code: 'ERR_PEER_FAILED' })
  })

  test('a reader that is slow, or stops, delays nobody else', async (t, network) => {
    const b = await network.peer({
      'IpfsConnector.RepoGc': async function * () { for (;;) yield { key: 'k'.repeat(16 * kib), error: '' } },
      'IpfsConnector.SwarmAddresses': async () => ['quick'],
      'PinTracker.StatusAll': async function * () { for (let i = 0; i < 100; i++) yield pinned(b.id, '') }
    })
    const a = await network.peer({})
    const stuck = Array.from({ length: 8 }, () => a.rpc.pull(b.id, 'IpfsConnector.RepoGc', undefined, { signal })[Symbol.asyncIterator]())
    for (const pull of stuck) await pull.next()

    const quick = await a.rpc.call(b.id, 'IpfsConnector.SwarmAddresses', undefined, { signal })
    const others = await Array.fromAsync(a.rpc.pull(b.id, 'PinTracker.StatusAll', [], { signal }))
    for (const pull of stuck) await pull.return?.()

    t.strictSame(quick, ['quick'])
    t.equal(others.length, 100)
  })

  test('who may not call is refused, method by method, before its argument is looked at', async (t, network) => {
    const trust = new Map<PeerId, Trust>()
    const b = await network.peer({
      'Cluster.Join': async () => [{ peer: b.id, addresses: ['x'] }],
      'PinTracker.Status': async () => pinned(b.id, ''),
      'Consensus.RemovePeer': async () => undefined,
      'IpfsConnector.ImportBlocks': async source => { await Array.fromAsync(source); return [] }
    }, peer => trust.get(peer) ?? 'open')
    const a = await network.peer({})
    const join = (): Promise<unknown> => a.rpc.call(b.id, 'Cluster.Join', { peer: a.id, clusterName: 'n', nodeId: 1, incarnation: 2, addresses: [], daemon: '' }, { signal })
    const status = (): Promise<unknown> => a.rpc.call(b.id, 'PinTracker.Status', cid, { signal })
    const remove = (): Promise<unknown> => a.rpc.call(b.id, 'Consensus.RemovePeer', b.id, { signal })
    const push = (): Promise<unknown> => a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', asSource([block(1)]), { signal })
    const refused = { code: 'ERR_PEER_FAILED', message: new RegExp(`${a.id} may not call`) }

    t.match(await join(), [{ addresses: ['x'] }])
    for (const call of [status, remove, push]) await t.rejects(call(), refused)
    trust.set(a.id, 'member')
    await status()
    for (const call of [remove, push]) await t.rejects(call(), refused)
    trust.set(a.id, 'writer')

    t.equal(await remove(), undefined)
    t.strictSame(await push(), [])
  })

  test('what is too large is refused before it is sent, or when it is, and the peer goes on', async (t, network) => {
    const b = await network.peer({
      'IpfsConnector.ImportBlocks': async source => { await Array.fromAsync(source); return [] },
      'IpfsConnector.SwarmAddresses': async () => ['x'.repeat(100 * kib)],
      'PinTracker.Status': async () => pinned(b.id, 'well')
    })
    const a = await network.peer({})

    await t.rejects(a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', asSource([block(3 * mib)]), { signal }), { code: 'ERR_INVALID_ARGUMENT', message: /^an item of 31457\d\d bytes: at most 2098176 can be sent/ })
    await t.rejects(a.rpc.call(b.id, 'Cluster.Join', { peer: a.id, clusterName: 'x'.repeat(100 * kib), nodeId: 1, incarnation: 1, addresses: [], daemon: '' }, { signal }), { code: 'ERR_INVALID_ARGUMENT', message: /^Cluster.Join: an argument of/ })
    await t.rejects(a.rpc.call(b.id, 'IpfsConnector.SwarmAddresses', undefined, { signal }), { code: 'ERR_PEER_FAILED', message: /an answer of \d+ bytes, at most 65536/ })

    t.equal((await a.rpc.call(b.id, 'PinTracker.Status', cid, { signal })).name, 'well')
  })

  test('garbage, frames that claim to be huge and methods that are unknown end their stream, and only that', async (t, network) => {
    const b = await network.peer({ 'PinTracker.Status': async () => pinned(b.id, 'well') })
    const a = await network.peer({})
    const frame = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from(Uint32Array.of(bytes.length).buffer), bytes])
    const garbage = [Buffer.alloc(4, 0xff), Buffer.from('GET / HTTP/1.1\r\n\r\n'), frame(Uint8Array.of(99, 0)), frame(new Uint8Array(0)), frame(Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))]

    for (const protocol of [callProtocol, streamProtocol]) {
      for (const bytes of garbage) {
        const stream = await a.streams.open(b.id, protocol, 'swift', { signal })
        stream.write(bytes)
        if (!stream.closed.aborted) await new Promise(resolve => { stream.closed.addEventListener('abort', resolve, { once: true }) })
        t.ok(stream.closed.aborted)
      }
    }

    const unknown = await a.streams.open(b.id, callProtocol, 'swift', { signal })
    unknown.write(frame(Buffer.from('\0\x01\x0cNo.SuchThing')))
    let said = ''
    for await (const bytes of unknown.received) {
      said += String(bytes)
      if (said.includes('version?')) break
    }
    t.match(said, /no method "No.SuchThing"/)
    t.equal((await a.rpc.call(b.id, 'PinTracker.Status', cid, { signal })).name, 'well')
  })

  test('a peer that stops ends what it serves and what it asks', async (t, network) => {
    const started = Promise.withResolvers<void>()
    const b = await network.peer({ 'PinTracker.Status': async (_, { signal }) => { started.resolve(); return await new Promise((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) }) } })
    const a = await network.peer({})
    const call = a.rpc.call(b.id, 'PinTracker.Status', cid, { signal })
    await started.promise

    await b.rpc[Symbol.asyncDispose]()

    await t.rejects(call, { code: 'ERR_PEER_FAILED' })
    await t.rejects(b.rpc.call(a.id, 'PinTracker.Status', cid, { signal }), { code: 'ERR_PEER_FAILED', message: 'this peer is stopping' })
  })
}

async function * asSource<T> (items: readonly T[]): AsyncGenerator<T, void, undefined> { yield * items }

/** A number that grows until what feeds it has to wait: when it has stood still for many turns of the event loop. */
async function settled (value: () => number): Promise<number> {
  for (let last = value(), still = 0; ; still = value() === last ? still + 1 : 0, last = value()) {
    if (still > 20_000 && last > 0) return last
    await new Promise(resolve => setImmediate(resolve))
  }
}
