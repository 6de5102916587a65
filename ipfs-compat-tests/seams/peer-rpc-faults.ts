/** What a PeerRpc promises when somebody gives up, dies, is slow, may not, or sends garbage. */
import type { PeerId } from '../../cluster/api/pin.ts'
import type { ImportItem, RpcCaller } from '../../cluster/peer-ports.ts'
import type { Trust } from '../../cluster/peers/rpc/policy.ts'
import { callProtocol, streamProtocol } from '../../cluster/peers/rpc/protocols.ts'
import { asSource, block, cid, kib, mib, pinned } from './peer-rpc-kit.ts'
import type { RpcTest } from './peer-rpc-kit.ts'

export function faults (test: RpcTest, signal: AbortSignal): void {
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
      'Consensus.DrainPeer': async () => undefined,
      'IpfsConnector.ImportBlocks': async source => { await Array.fromAsync(source); return [] }
    }, peer => trust.get(peer) ?? 'open')
    const a = await network.peer({})
    const join = (): Promise<unknown> => a.rpc.call(b.id, 'Cluster.Join', { peer: a.id, clusterName: 'n', nodeId: 1, incarnation: 2, addresses: [], daemon: '', votes: true }, { signal })
    const status = (): Promise<unknown> => a.rpc.call(b.id, 'PinTracker.Status', cid, { signal })
    const drain = (): Promise<unknown> => a.rpc.call(b.id, 'Consensus.DrainPeer', { peer: b.id, isDraining: true }, { signal })
    const push = (): Promise<unknown> => a.rpc.push(b.id, 'IpfsConnector.ImportBlocks', asSource([block(1)]), { signal })
    const message = new RegExp(`${a.id} may not call`)

    t.match(await join(), [{ addresses: ['x'] }])
    for (const call of [status, drain, push]) await t.rejects(call(), { code: 'ERR_PEER_FAILED', message })
    trust.set(a.id, 'member')
    await status()
    for (const call of [drain, push]) await t.rejects(call(), { code: 'ERR_STORES_ONLY', message })
    trust.set(a.id, 'writer')

    t.equal(await drain(), undefined)
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
    await t.rejects(a.rpc.call(b.id, 'Cluster.Join', { peer: a.id, clusterName: 'x'.repeat(100 * kib), nodeId: 1, incarnation: 1, addresses: [], daemon: '', votes: true }, { signal }), { code: 'ERR_INVALID_ARGUMENT', message: /^Cluster.Join: an argument of/ })
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
