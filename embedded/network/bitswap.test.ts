import { createHash } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import t from 'tap'
import type { Test } from 'tap'
import { FakeClock } from '../../cluster/clock.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createBlockService } from '../dag/block-service.ts'
import type { BlockService } from '../dag/block-service.ts'
import { cidOf, hashByName } from '../dag/hashes.ts'
import { createMemoryStores } from '../store/memory-stores.ts'
import { decodeMessage, encodeMessage, prefixOf } from './bitswap-message.ts'
import type { BitswapMessage, WantEntry } from './bitswap-message.ts'
import { createBitswap } from './bitswap.ts'
import type { Bitswap } from './bitswap.ts'
import type { PeerLink } from './outbox.ts'

const { signal } = new AbortController()
const online = { signal, offline: false }
const nothing: BitswapMessage = { entries: [], isFull: false, blocks: [], presences: [] }

interface Node { readonly name: string, readonly bitswap: Bitswap, readonly blocks: BlockService }

/** A peer that says only what the test makes it say. */
interface Puppet extends PeerLink { readonly name: string, readonly heard: WantEntry[], readonly messages: BitswapMessage[], isClosed: boolean, say (message: Partial<BitswapMessage>): void }

function node (t: Test, name: string, clock = new FakeClock()): Node {
  const store = createMemoryStores('memory').blocks
  const bitswap = createBitswap({ store, clock, log: silentLogger })
  t.teardown(() => bitswap[Symbol.asyncDispose]())
  return { name, bitswap, blocks: createBlockService(store, bitswap) }
}

/** Messages go as bytes, and arrive a turn later. */
function join (a: Node, b: Node): { cut: () => void } {
  let isOpen = true
  const link = (from: Node, to: Node): PeerLink => ({
    async send (message) {
      const bytes = Buffer.concat(encodeMessage(message))
      await new Promise(setImmediate)
      if (!isOpen) throw new Error('cut')
      to.bitswap.received(from.name, decodeMessage(bytes))
    },
    close: cut
  })
  const cut = (): void => {
    isOpen = false
    a.bitswap.disconnected(b.name)
    b.bitswap.disconnected(a.name)
  }
  a.bitswap.connected(b.name, link(a, b))
  b.bitswap.connected(a.name, link(b, a))
  return { cut }
}

function puppet (name: string, to: Node): Puppet {
  const made: Puppet = {
    name, heard: [], messages: [], isClosed: false,
    async send (message) {
      made.messages.push(message)
      made.heard.push(...message.entries)
    },
    close () {
      made.isClosed = true
      to.bitswap.disconnected(name)
    },
    say (message) { to.bitswap.received(name, { ...nothing, ...message }) }
  }
  to.bitswap.connected(name, made)
  return made
}

function block (text: string | Uint8Array): { readonly cid: CID, readonly bytes: Uint8Array } {
  const bytes = Buffer.from(text as string)
  return { bytes, cid: cidOf(bytes, { version: 1, codec: 0x55, hash: hashByName('sha2-256')! }) }
}
const big = (seed: string): ReturnType<typeof block> => block(createHash('shake256', { outputLength: 200_000 }).update(seed).digest())
const sent = ({ cid, bytes }: ReturnType<typeof block>) => ({ prefix: prefixOf(cid), bytes })
/** `t.same` walks through every byte. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
const turns = async (): Promise<void> => { for (let i = 0; i < 20; i++) await new Promise(setImmediate) }

t.test('a block that only a peer has is got from it, kept, and given on', async t => {
  const [a, b, c] = [node(t, 'a'), node(t, 'b'), node(t, 'c')]
  join(a, b)
  join(b, c)
  const { cid, bytes } = big('one')
  await a.blocks.put(cid, bytes)

  t.ok(isSame(await b.blocks.get(cid, online), bytes))
  t.ok(isSame(await c.blocks.get(cid, online), bytes))

  t.ok(b.blocks.has(cid))
  t.match(b.bitswap.stat(), { blocksReceived: 1, dataReceived: bytes.length, blocksSent: 1, duplicateBlocks: 0 })
  t.strictSame([a, b, c].map(({ bitswap }) => bitswap.wants().length), [0, 0, 0])
  await turns()
  t.strictSame(a.bitswap.wants('b'), [], 'nobody is left believing that it is wanted')
})

t.test('who asks before anybody has it gets it once somebody does', async t => {
  const [a, b] = [node(t, 'a'), node(t, 'b')]
  join(a, b)
  const { cid, bytes } = big('late')
  const getting = b.blocks.get(cid, online)
  await turns()

  await a.blocks.put(cid, bytes)

  t.ok(isSame(await getting, bytes))
})

t.test('many blocks come from all who have them, in messages of bounded size', async t => {
  const [a, b, c] = [node(t, 'a'), node(t, 'b'), node(t, 'c')]
  join(a, c)
  join(b, c)
  const all = Array.from({ length: 200 }, (_, i) => big(`many ${i}`))
  for (const { cid, bytes } of all) for (const { blocks } of [a, b]) await blocks.put(cid, bytes)

  await Promise.all(all.map(({ cid }) => c.blocks.get(cid, online)))

  t.match(c.bitswap.stat(), { blocksReceived: 200, duplicateBlocks: 0 })
  t.ok(a.bitswap.stat().blocksSent > 40 && b.bitswap.stat().blocksSent > 40, 'both gave')
  t.ok(c.bitswap.stat().messagesReceived >= 100, 'two blocks of 200 kB fill a message')
})

t.test('a wrong block is refused, the right one got from another, and who goes on sending wrong ones is sent away', async t => {
  const a = node(t, 'a')
  const hostile = puppet('hostile', a)
  const { cid, bytes } = big('true')
  const getting = a.blocks.get(cid, online)
  await turns()
  t.match(hostile.heard, [{ kind: 'block' }], 'the only peer is asked for the block itself')

  const honest = puppet('honest', a)
  hostile.say({ blocks: [{ prefix: prefixOf(cid), bytes: Buffer.from('something else') }] })
  await turns()
  honest.say({ presences: [{ cid, has: true }] })
  await turns()
  t.equal(honest.heard.at(-1)?.kind, 'block')
  honest.say({ blocks: [sent({ cid, bytes })] })

  t.ok(isSame(await getting, bytes))
  for (let i = 0; i < 8; i++) hostile.say({ blocks: [{ prefix: prefixOf(cid), bytes: Buffer.from(`junk ${i}`) }] })
  t.ok(hostile.isClosed)
})

t.test('a block over 2 MiB is not taken, and not given', async t => {
  const a = node(t, 'a')
  const peer = puppet('peer', a)
  const huge = block(Buffer.alloc(2 * 1024 * 1024 + 1))
  const ending = new AbortController()
  const getting = a.blocks.get(huge.cid, { signal: ending.signal, offline: false })
  await turns()

  peer.say({ blocks: [sent(huge)] })
  ending.abort(new Error('enough'))
  await t.rejects(getting, { message: 'enough' })
  t.notOk(a.blocks.has(huge.cid))
  await a.blocks.put(huge.cid, huge.bytes)
  peer.say({ entries: [{ cid: huge.cid, kind: 'block', isCancel: false, sendDontHave: true }] })
  await turns()

  t.match(peer.messages.at(-1), { blocks: [], presences: [{ has: false }] })
})

t.test('when a peer dies in the middle, what it owed comes from another', async t => {
  const [a, b, c] = [node(t, 'a'), node(t, 'b'), node(t, 'c')]
  const toA = join(a, c)
  const all = Array.from({ length: 100 }, (_, i) => big(`dies ${i}`))
  for (const { cid, bytes } of all) for (const { blocks } of [a, b]) await blocks.put(cid, bytes)
  const getting = all.map(({ cid }) => c.blocks.get(cid, online))
  await getting[10]

  toA.cut()
  t.ok(c.bitswap.wants().length > 0, 'it is not through yet')
  join(b, c)

  await Promise.all(getting)
  t.equal(c.bitswap.stat().blocksReceived >= 100, true)
})

t.test('a peer that does not answer is not waited for when another has the block', async t => {
  const clock = new FakeClock()
  const a = node(t, 'a', clock)
  const silent = puppet('silent', a)
  const { cid, bytes } = big('slow')
  const getting = a.blocks.get(cid, online)
  await turns()
  const other = puppet('other', a)
  t.match(silent.heard, [{ kind: 'block' }])
  t.strictSame(other.heard, [])

  clock.advance(10_000)
  await turns()
  t.match(other.heard, [{ kind: 'have' }], 'the others are told')
  other.say({ presences: [{ cid, has: true }] })
  await turns()
  other.say({ blocks: [sent({ cid, bytes })] })

  t.ok(isSame(await getting, bytes))
  await turns()
  t.match(silent.heard.at(-1), { isCancel: true })
})

t.test('a slow peer that goes on giving is not passed over, but one that gives everything else is', async t => {
  const clock = new FakeClock()
  const a = node(t, 'a', clock)
  const slow = puppet('slow', a)
  const all = Array.from({ length: 200 }, (_, i) => block(`slow ${i}`))
  const ending = new AbortController()
  const getting = Promise.allSettled(all.map(({ cid }) => a.blocks.get(cid, { signal: ending.signal, offline: false })))
  await turns()
  const other = puppet('other', a)
  await turns()
  const told = (): number => new Set(other.heard.map(({ cid }) => cid.toString())).size
  const atFirst = told()
  const isTold = (): boolean => other.heard.some(({ cid }) => cid.equals(all[0]!.cid))

  for (let i = 1; i <= 10; i++) {
    slow.say({ blocks: [sent(all[i]!)] })
    await turns()
    clock.advance(5_000)
  }
  t.notOk(isTold())
  t.equal(told(), atFirst, 'nobody else is told of what it was asked for')
  slow.say({ blocks: all.slice(11, 100).map(sent) })
  await turns()
  clock.advance(5_000)
  await turns()

  t.ok(isTold())
  ending.abort(new Error('enough'))
  await getting
})

t.test('a want that went astray on the way is told again', async t => {
  const clock = new FakeClock()
  const a = node(t, 'a', clock)
  const only = puppet('only', a)
  const { cid, bytes } = big('astray')
  const getting = a.blocks.get(cid, online)
  await turns()

  clock.advance(60_000)
  await turns()

  t.match(only.heard, [{ kind: 'block' }, { kind: 'block' }])
  only.say({ blocks: [sent({ cid, bytes })] })
  t.ok(isSame(await getting, bytes))
})

t.test('who lacks a block and says so is passed over at once', async t => {
  const a = node(t, 'a')
  const [first, second] = [puppet('first', a), puppet('second', a)]
  const { cid, bytes } = big('lacks')
  const getting = a.blocks.get(cid, online)
  await turns()
  t.match([first.heard, second.heard], [[{ kind: 'have' }], [{ kind: 'have' }]], 'of two strangers both are asked who has it')

  first.say({ presences: [{ cid, has: false }] })
  second.say({ presences: [{ cid, has: true }] })
  await turns()
  t.equal(first.heard.length, 1)
  second.say({ blocks: [sent({ cid, bytes })] })

  t.ok(isSame(await getting, bytes))
})

t.test('a peer that cannot be sent to any more is done with, and nothing is left of it', async t => {
  const [a, b] = [node(t, 'a'), node(t, 'b')]
  const closed: string[] = []
  a.bitswap.connected('gone', { send: async () => { throw new Error('not connected') }, close: why => { closed.push(why) } })
  const { cid, bytes } = big('gone')
  const getting = a.blocks.get(cid, online)
  await turns()
  t.strictSame(closed, ['a message could not be sent'])

  await b.blocks.put(cid, bytes)
  join(a, b)

  t.ok(isSame(await getting, bytes))
})

t.test('a want that is given up is taken back; what still comes of it is a duplicate and is not kept', async t => {
  const a = node(t, 'a')
  const peer = puppet('peer', a)
  const ending = new AbortController()
  const { cid, bytes } = big('given up')
  const getting = a.blocks.get(cid, { signal: ending.signal, offline: false })
  await turns()

  ending.abort(new Error('context deadline exceeded'))
  await t.rejects(getting, { message: 'context deadline exceeded' })
  await turns()
  peer.say({ blocks: [sent({ cid, bytes })] })

  t.match(peer.heard.at(-1), { isCancel: true })
  t.match(a.bitswap.stat(), { duplicateBlocks: 1, duplicateData: bytes.length })
  t.notOk(a.blocks.has(cid))
  t.notOk(peer.isClosed)
})

t.test('no more is asked of a peer than it may owe, and no more is wanted at a time than peers keep', async t => {
  const a = node(t, 'a')
  const peer = puppet('peer', a)
  const ending = new AbortController()
  const all = Array.from({ length: 1_500 }, (_, i) => block(`want ${i}`))
  const getting = Promise.allSettled(all.map(({ cid }) => a.blocks.get(cid, { signal: ending.signal, offline: false })))
  await turns()

  t.equal(peer.heard.filter(({ kind }) => kind === 'block').length, 32)
  t.equal(new Set(peer.heard.map(({ cid }) => cid.toString())).size, 1_024)
  t.equal(a.bitswap.wants().length, 1_500)
  peer.say({ blocks: all.slice(0, 32).map(sent) })
  await turns()

  t.equal(peer.heard.filter(({ kind, isCancel }) => kind === 'block' && !isCancel).length, 64, 'it is asked for as many more')
  ending.abort(new Error('enough'))
  await getting
  t.equal(a.bitswap.wants().length, 0)
})

t.test('of what a peer wants no more is kept than Kubo keeps', async t => {
  const a = node(t, 'a')
  const peer = puppet('peer', a)

  peer.say({ entries: Array.from({ length: 3_000 }, (_, i) => ({ cid: block(`theirs ${i}`).cid, kind: 'block', isCancel: false, sendDontHave: false } as const)) })

  t.equal(a.bitswap.wants('peer').length, 1_024)
  t.strictSame(a.bitswap.partners(), ['peer'])
})

t.test('a small block is sent to who only asks whether it is there, of a large one that it is', async t => {
  const a = node(t, 'a')
  const peer = puppet('peer', a)
  const [small, large] = [block('small'), big('large')]
  for (const { cid, bytes } of [small, large]) await a.blocks.put(cid, bytes)

  peer.say({ entries: [small, large].map(({ cid }) => ({ cid, kind: 'have', isCancel: false, sendDontHave: true } as const)) })
  await turns()

  t.match(peer.messages, [{ blocks: [{ bytes: small.bytes }], presences: [{ cid: large.cid, has: true }] }])
})

t.test('a full disk is told to who waits for the block', async t => {
  const store = createMemoryStores('memory').blocks
  const full = { ...store, put: async () => { throw new Error('no space left on device') } }
  const bitswap = createBitswap({ store: full, clock: new FakeClock(), log: silentLogger })
  t.teardown(() => bitswap[Symbol.asyncDispose]())
  const a = { name: 'a', bitswap, blocks: createBlockService(full, bitswap) }
  const peer = puppet('peer', a)
  const one = big('full')
  const getting = a.blocks.get(one.cid, online)
  await turns()

  peer.say({ blocks: [sent(one)] })

  await t.rejects(getting, { message: 'no space left on device' })
  t.strictSame(bitswap.wants(), [])
})
