import t from 'tap'
import { ClusterError, KuboRepliedError, NotEnoughPeersError } from '../cluster/api/errors.ts'
import { defaultPinOptions } from '../cluster/api/pin.ts'
import type { PeerId, Pin } from '../cluster/api/pin.ts'
import type { Block, PutBlocks } from '../cluster/ports.ts'
import type { DeliveryComponents, DeliveryOptions } from './delivery.ts'
import { sha256Cid } from './leaf-blocks.ts'
import { createSteadyDelivery } from './steady-delivery.ts'

const [self, dead, far] = ['self', 'dead', 'far'] as unknown as readonly [PeerId, PeerId, PeerId]
const options: DeliveryOptions = { pin: defaultPinOptions, wait: 'min', queueBytesMax: 1_000, isHeldHere: false, signal: new AbortController().signal }
const notThere = new ClusterError('ERR_PEER_FAILED', 'dead is silent')
const blockOf = (text: string): Block => ({ cid: sha256Cid(1, 0x55, Buffer.from(text)), bytes: Buffer.from(text) })
const root = blockOf('a').cid

/** Chooses the first of `order` that may be chosen; what `dead` is sent ends with `failure` after so many blocks. */
function parts ({ order = [dead, far], failure = notThere, after = 0 }: { readonly order?: readonly PeerId[], readonly failure?: Error, readonly after?: number } = {}) {
  const arrived: string[] = []
  const pinned: (readonly PeerId[])[] = []
  const putBlocks: PutBlocks = async (peer, blocks, roots) => {
    let count = 0
    if (peer === dead && after === 0) throw failure
    for await (const { bytes } of blocks) {
      if (peer === dead && ++count > after) throw failure
      if (peer !== dead) arrived.push(Buffer.from(bytes).toString())
    }
    await roots
    if (peer === dead) throw failure
    return []
  }
  const components: DeliveryComponents = {
    putBlocks,
    cluster: {
      self,
      async allocate (_pin, { without = [] }) {
        const peers = order.filter(peer => !without.includes(peer)).slice(0, 1)
        if (peers.length === 0) throw new NotEnoughPeersError(1, 0)
        return { peers, min: 1 }
      },
      canDoWithout: (_pin, gone) => order.some(peer => !gone.includes(peer)),
      async pin (_cid, _wanted, { allocations, deliveries, signal, onAgreed }) {
        onAgreed?.({} as Pin)
        await Promise.race([...deliveries!.to.values(), new Promise((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) })])
        pinned.push(allocations!)
        return {} as Pin
      }
    }
  }
  return { components, arrived, pinned }
}

t.test('what was on its way to a peer that is not there goes to another, whole, and so does its pin', async t => {
  for (const after of [0, 1, 2]) {
    const { components, arrived, pinned } = parts({ after })
    const delivery = await createSteadyDelivery(components, options)

    for (const text of ['a', 'b']) await delivery.put(blockOf(text))
    const outcomes = await delivery.pin([root], 'inOrder')

    t.strictSame(outcomes, [{ cid: root }])
    t.strictSame([arrived, pinned], [['a', 'b'], [[far]]], `lost after ${after} blocks`)
  }
})

t.test('where there is no other, it ends with what ended the first', async t => {
  const delivery = await createSteadyDelivery(parts({ order: [dead] }).components, options)
  await delivery.put(blockOf('a')).catch(() => {})

  await t.rejects(delivery.pin([root], 'inOrder'), notThere)
})

t.test('what is no more held in memory is not brought anew', async t => {
  const { components, pinned } = parts({ after: 4 })
  const delivery = await createSteadyDelivery(components, options)

  await t.rejects(async () => {
    for (let i = 0; i < 20; i++) await delivery.put({ ...blockOf('a'), bytes: Buffer.alloc(600) })
    await delivery.pin([root], 'inOrder')
  }, notThere)

  t.strictSame(pinned, [])
})

t.test('what a daemon says is told, and nobody else is asked', async t => {
  const no = new KuboRepliedError('import failed at block "x": no', { status: 500, kuboCode: 0 })
  const { components, arrived } = parts({ failure: no })
  const delivery = await createSteadyDelivery(components, options)
  await delivery.put(blockOf('a')).catch(() => {})

  await t.rejects(delivery.pin([root], 'inOrder'), no)

  t.strictSame(arrived, [])
})

t.test('a destination may be given up for as long as there is another, all blocks are held and nothing is answered; one that is to be local never', async t => {
  const asked: (() => boolean)[] = []
  const { components } = parts({ order: [far, dead, self] })
  const noted: DeliveryComponents = {
    ...components,
    async putBlocks (peer, blocks, roots, call) {
      asked.push(() => call.isReplaceable?.(peer) === true)
      return await components.putBlocks(peer, blocks, roots, call)
    }
  }
  const delivery = await createSteadyDelivery(noted, options)
  await createSteadyDelivery(noted, { ...options, isLocal: true }).then(async local => { await local.abandon(new Error('enough')) })
  const large = await createSteadyDelivery(noted, options)
  await new Promise(resolve => setImmediate(resolve)) // until each has its blocks

  t.strictSame(asked.map(isReplaceable => isReplaceable()), [true, false, true])
  for (let i = 0; i < 5; i++) await large.put({ ...blockOf('a'), bytes: Buffer.alloc(600) })
  t.equal(asked.at(-1)!(), false, 'what is no more held could not be brought anew')
  await large.abandon(new Error('enough'))
  await delivery.pin([root], 'inOrder')
  t.equal(asked[0]!(), false, 'it is answered')
})
