import t from 'tap'
import { CID } from 'multiformats/cid'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import { defaultPinOptions } from '../cluster/api/pin.ts'
import type { PeerId, Pin } from '../cluster/api/pin.ts'
import type { ClusterPinCall, PutBlocks } from '../cluster/ports.ts'
import { createDelivery } from './delivery.ts'
import type { DeliveryOptions } from './delivery.ts'
import { sha256Cid } from './leaf-blocks.ts'
import { createStragglers } from './stragglers.ts'

const [self, far] = ['self', 'far'] as [PeerId, PeerId]
const cids = ['a', 'b', 'c'].map(text => sha256Cid(1, 0x55, Buffer.from(text))) as [CID, CID, CID]
const [a, b, c] = cids
const nameOf = (cid: CID): string => 'abc'[cids.findIndex(each => each.equals(cid))]!
const options: DeliveryOptions = { pin: { ...defaultPinOptions, name: 'n' }, wait: 'min', queueBytesMax: 1_000, isHeldHere: false, signal: new AbortController().signal }

/** Pins as a cluster does: agrees unless told to refuse, then waits for the delivery; given up, it takes the pin back. */
function fakeCluster (log: string[], { peers = [self], min = 1, refuses = [] }: { peers?: readonly PeerId[], min?: number, refuses?: readonly CID[] } = {}) {
  return {
    self,
    allocate: async () => ({ peers, min }),
    canDoWithout: () => false,
    async pin (cid: CID, _options: unknown, { signal, onAgreed, delivered }: ClusterPinCall): Promise<Pin> {
      if (refuses.some(each => each.equals(cid))) throw new Error(`${nameOf(cid)} is refused`)
      log.push(`agreed ${nameOf(cid)}`)
      onAgreed?.({} as Pin)
      const aborted = new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      try {
        await Promise.race([aborted, delivered ?? aborted])
      } catch (err) {
        log.push(`put back ${nameOf(cid)}`)
        throw err
      }
      return {} as Pin
    }
  }
}

/** A daemon that notes when it hears of roots, and answers what it is told to. */
const fakeDaemon = (log: string[], unpinned: readonly CID[] = []): PutBlocks => async (peer, blocks, roots) => {
  for await (const _ of blocks) log.push(`${peer} block`)
  for (const { cid, name } of await roots) log.push(`${peer} pins ${nameOf(cid)} as ${name}`)
  return unpinned.map(cid => ({ cid, error: new KuboRepliedError(`ipld: could not find ${nameOf(cid)}`, { status: 200, kuboCode: 0 }) }))
}

t.test('roots are named to the daemon only after their pins are agreed', async t => {
  const log: string[] = []
  const delivery = await createDelivery({ cluster: fakeCluster(log), putBlocks: fakeDaemon(log) }, options)

  await delivery.put({ cid: a, bytes: new Uint8Array(1) })
  const outcomes = await delivery.pin([a, b], 'inOrder')

  t.strictSame(log, ['agreed a', 'agreed b', 'self block', 'self pins a as n', 'self pins b as n'].sort((x, y) => log.indexOf(x) - log.indexOf(y)))
  t.ok(log.indexOf('agreed b') < log.indexOf('self pins a as n'))
  t.strictSame(outcomes, [{ cid: a }, { cid: b }])
})

t.test('what is local goes to this daemon alone, and is agreed for all that are to hold it', async t => {
  for (const peers of [[self, far], [far]]) {
    const log: string[] = []
    const cluster = fakeCluster(log, { peers, min: 2 })
    const asked: ClusterPinCall[] = []
    const delivery = await createDelivery({
      cluster: { ...cluster, async pin (cid, wanted, call) { asked.push(call); return await cluster.pin(cid, wanted, { ...call, delivered: call.delivered ?? Promise.resolve() }) } },
      putBlocks: fakeDaemon(log)
    }, { ...options, isLocal: true })

    await delivery.put({ cid: a, bytes: new Uint8Array(1) })
    const outcomes = await delivery.pin([a], 'inOrder')

    t.strictSame(outcomes, [{ cid: a }])
    t.match(asked, [{ allocations: peers }])
    t.equal(asked[0]!.deliveries, undefined, 'the others fetch it')
    t.strictSame(log.filter(line => !line.startsWith('agreed')), peers.includes(self) ? ['self block', 'self pins a as n'] : ['self block'])
  }
})

t.test('what is not to be pinned is brought to all of them, and agreed by nobody', async t => {
  const log: string[] = []
  const delivery = await createDelivery({ cluster: fakeCluster(log, { peers: [self, far], min: 2 }), putBlocks: fakeDaemon(log) }, { ...options, isUnpinned: true })

  await delivery.put({ cid: a, bytes: new Uint8Array(1) })
  const outcomes = await delivery.pin([a, a], 'inOrder')

  t.strictSame(outcomes, [{ cid: a }, { cid: a }])
  t.strictSame(log.sort(), ['far block', 'self block'])
})

t.test('behind a root that is refused none is pinned', async t => {
  const log: string[] = []
  const delivery = await createDelivery({ cluster: fakeCluster(log, { refuses: [b] }), putBlocks: fakeDaemon(log) }, options)

  const outcomes = await delivery.pin([a, b, c], 'inOrder')

  t.match(outcomes.map(({ error }) => error), [undefined, { message: 'b is refused' }, { message: 'a root before it was refused' }])
  t.strictSame(log.filter(line => line.startsWith('self')), ['self pins a as n'])
  t.ok(log.includes('put back c'))
})

t.test('of CARs each root stands for itself', async t => {
  const log: string[] = []
  const delivery = await createDelivery({ cluster: fakeCluster(log, { refuses: [b] }), putBlocks: fakeDaemon(log, [c]) }, options)

  const outcomes = await delivery.pin([a, b, c], 'eachAlone')

  t.match(outcomes.map(({ error }) => error), [undefined, { message: 'b is refused' }, { message: 'ipld: could not find c' }])
  t.strictSame(log.filter(line => line.startsWith('put back')), ['put back c'])
})

t.test('the same root twice is one pin and two answers', async t => {
  const log: string[] = []
  const delivery = await createDelivery({ cluster: fakeCluster(log), putBlocks: fakeDaemon(log) }, options)

  const outcomes = await delivery.pin([a, a], 'inOrder')

  t.equal(log.filter(line => line === 'agreed a').length, 1)
  t.equal(outcomes.length, 2)
})

t.test('a daemon that will not have the blocks is one error, and every pin is put back', async t => {
  const log: string[] = []
  const refused = new KuboRepliedError('import failed at block "x": no', { status: 500, kuboCode: 0 })
  const putBlocks: PutBlocks = async (_peer, blocks, roots) => { for await (const _ of blocks); await roots; throw refused }
  const delivery = await createDelivery({ cluster: fakeCluster(log), putBlocks }, options)

  await t.rejects(delivery.pin([a, b], 'eachAlone'), refused)
  t.strictSame(log.filter(line => line.startsWith('put back')).sort(), ['put back a', 'put back b'])
})

t.test('a caller whose time is up hears of each root', async t => {
  const log: string[] = []
  const late = new AbortController()
  const putBlocks: PutBlocks = async (_peer, _blocks, roots, { signal }) => {
    await roots
    late.abort(new Error('context deadline exceeded'))
    signal.throwIfAborted()
    return []
  }
  const delivery = await createDelivery({ cluster: fakeCluster(log), putBlocks }, { ...options, signal: late.signal })

  t.match(await delivery.pin([a], 'eachAlone'), [{ error: { message: 'context deadline exceeded' } }])
})

t.test('one of two daemons is enough where one is asked for', async t => {
  const log: string[] = []
  const here = fakeDaemon(log)
  const putBlocks: PutBlocks = async (peer, ...rest) => { if (peer === far) throw new Error('down'); return await here(peer, ...rest) }
  const delivery = await createDelivery({ cluster: fakeCluster(log, { peers: [self, far], min: 1 }), putBlocks }, options)

  t.strictSame(await delivery.pin([a], 'inOrder'), [{ cid: a }])
})

t.test('a daemon that has the blocks without being chosen keeps them for the others, and pins nothing', async t => {
  const log: string[] = []
  const cluster = { ...fakeCluster(log, { peers: [far] }), pin: async (_cid: CID, _options: unknown, { onAgreed }: ClusterPinCall) => { onAgreed?.({} as Pin); return {} as Pin } }
  const delivery = await createDelivery({ cluster, putBlocks: fakeDaemon(log) }, { ...options, isHeldHere: true })

  await delivery.put({ cid: a, bytes: new Uint8Array(1) })
  await delivery.pin([a], 'inOrder')

  t.strictSame(log.sort(), ['far block', 'far pins a as n'])
})

t.test('abandoned, it names no roots', async t => {
  const log: string[] = []
  const delivery = await createDelivery({ cluster: fakeCluster(log), putBlocks: fakeDaemon(log) }, options)

  await delivery.abandon(new Error('cut'))

  t.strictSame(log, [])
})

t.test('once enough hold it a slow destination is waited for no longer, and goes on; unless there are too many such', async t => {
  const log: string[] = []
  const here = fakeDaemon(log)
  const slow = Promise.withResolvers<void>()
  const putBlocks: PutBlocks = async (peer, ...rest) => {
    if (peer === far) await slow.promise
    return await here(peer, ...rest)
  }
  const parts = { cluster: fakeCluster(log, { peers: [self, far], min: 1 }), putBlocks }
  const stragglers = createStragglers(1)
  const [first, second] = [await createDelivery(parts, { ...options, stragglers }), await createDelivery(parts, { ...options, stragglers })]

  t.strictSame(await first.pin([a], 'inOrder'), [{ cid: a }])
  t.notOk(log.includes('far pins a as n'))
  const waiting = second.pin([b], 'inOrder')
  slow.resolve()
  t.strictSame(await waiting, [{ cid: b }])

  t.ok(log.includes('far pins b as n'))
  t.ok(log.includes('far pins a as n'))
})

t.test('a pin that was held before does not answer for blocks that a daemon then refuses', async t => {
  const refused = Promise.withResolvers<never>()
  const putBlocks: PutBlocks = async () => await refused.promise
  const cluster = { ...fakeCluster([]), async pin (_cid: CID, _options: unknown, { onAgreed }: ClusterPinCall) { onAgreed?.({} as Pin); return {} as Pin } }
  const delivery = await createDelivery({ cluster, putBlocks }, { ...options, stragglers: createStragglers(1) })

  const pinning = delivery.pin([a], 'eachAlone')
  setImmediate(() => refused.reject(new KuboRepliedError('mismatch in content integrity', { status: 500, kuboCode: 0 })))

  await t.rejects(pinning, { message: 'mismatch in content integrity' })
})
