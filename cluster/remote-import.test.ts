import t from 'tap'
import { cidOf, other } from '../ipfs-compat-tests/harness/pins.ts'
import { FakeClock } from './clock.ts'
import type { ImportItem, PeerRpc } from './peer-ports.ts'
import type { IpfsConnector, NamedRoot, PinTracker, UnpinnedRoot } from './ports.ts'
import { pushBlocks, takeBlocks } from './remote-import.ts'

const never = { signal: new AbortController().signal }
const root = cidOf('root')
const block = { cid: root, bytes: Buffer.from('bytes') }
const roots: readonly NamedRoot[] = [{ cid: root, name: 'named' }]

async function * listOf<T> (...items: readonly T[]): AsyncGenerator<T, void, undefined> { yield * items }

/** A daemon that takes what comes and refuses `unpinned`, and a tracker that notes in which order it learns. */
function arrange (unpinned: readonly UnpinnedRoot[] = []) {
  const clock = new FakeClock()
  const events: string[] = []
  const told: { ended?: Promise<readonly unknown[]>, done?: Promise<void> } = {}
  const ipfs: Pick<IpfsConnector, 'importBlocks'> = {
    async importBlocks (blocks, named) {
      for await (const _block of blocks) events.push('block')
      for (const { name } of await named) events.push(`root ${name}`)
      return unpinned
    }
  }
  const tracker = {
    expectDelivery (delivery: string, ended: Promise<readonly unknown[]>) {
      events.push(`delivery ${delivery}`)
      told.ended = ended
    },
    async expect (_cid: unknown, done: Promise<void>) {
      events.push('expected')
      told.done = done
    }
  } as unknown as Pick<PinTracker, 'expect' | 'expectDelivery'>
  return { events, told, clock, parts: { ipfs, tracker, clock } }
}

t.test('the tracker learns of the import before its blocks, and of its roots before the daemon', async t => {
  const { events, told, parts } = arrange()

  const unpinned = await takeBlocks(parts, listOf<ImportItem>({ delivery: 'd', timeoutMs: 0 }, block, { roots }), never)

  t.strictSame(unpinned, [])
  t.strictSame(events, ['delivery d', 'block', 'expected', 'root named'])
  t.strictSame(await told.ended, [root])
  await t.resolves(told.done!)
})

t.test('a root that the daemon would not pin counts as not pinned', async t => {
  const { told, parts } = arrange([{ cid: root, error: new Error('block was not found') }])

  const unpinned = await takeBlocks(parts, listOf<ImportItem>({ delivery: 'd', timeoutMs: 0 }, block, { roots }), never)

  t.equal(unpinned.length, 1)
  t.strictSame(await told.ended, [])
  await t.rejects(told.done!, { message: 'the daemon did not pin it' })
})

t.test('an import without a name, with two, or without roots is refused, and the tracker hears that nothing came of it', async t => {
  const { told, parts } = arrange()

  await t.rejects(takeBlocks(parts, listOf<ImportItem>(block), never), { code: 'ERR_INVALID_ARGUMENT', message: 'an import begins with its name' })
  await t.rejects(takeBlocks(parts, listOf<ImportItem>({ delivery: 'd', timeoutMs: 0 }, { delivery: 'e', timeoutMs: 0 }), never), { message: 'an import has one name' })
  await t.rejects(takeBlocks(parts, listOf<ImportItem>({ delivery: 'd', timeoutMs: 0 }, block), never), { message: 'an import ends with its roots' })

  await t.rejects(told.ended!, { message: 'an import ends with its roots' })
})

t.test('a daemon that was told what to pin is let finish for half a minute though who asked is gone; before that it is broken off at once', async t => {
  const { told, clock, parts } = arrange()
  const asked = Promise.withResolvers<AbortSignal>()
  const hanging = { ...parts, ipfs: { async importBlocks (...[blocks, named, { signal }]: Parameters<IpfsConnector['importBlocks']>) {
    for await (const _block of blocks) asked.resolve(signal)
    await named
    return await new Promise<never>((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) })
  } } }
  const leaving = new AbortController()
  const taking = takeBlocks(hanging, listOf<ImportItem>({ delivery: 'd', timeoutMs: 0 }, block, { roots }), leaving)
  const signal = await asked.promise
  while (told.done === undefined) await new Promise(setImmediate)
  await new Promise(setImmediate)
  const unpinned = t.rejects(told.done, { message: 'gone' })

  leaving.abort(new Error('gone'))
  clock.advance(29_999)
  t.notOk(signal.aborted)
  clock.advance(1)

  await t.rejects(taking, { message: 'gone' })
  await unpinned
  const early = takeBlocks(hanging, (async function * (): AsyncGenerator<ImportItem, void, undefined> {
    yield { delivery: 'e', timeoutMs: 0 }
    yield block
    throw new Error('the stream has ended')
  })(), { signal: AbortSignal.abort(new Error('gone before')) })
  await t.rejects(early)
})

t.test('what is pushed is the name with the time that is left and what is not to be announced, the blocks, and the roots once they are known', async t => {
  const named = Promise.withResolvers<readonly NamedRoot[]>()
  const sent: ImportItem[] = []
  const push = async (_peer: unknown, _method: unknown, items: AsyncIterable<ImportItem>): Promise<readonly UnpinnedRoot[]> => {
    for await (const item of items) {
      sent.push(item)
      if (sent.length === 2) named.resolve(roots)
    }
    return []
  }

  await pushBlocks({ push } as unknown as Pick<PeerRpc, 'push'>, other, listOf(block), named.promise, { delivery: 'd', timeoutMs: 1.2, unannounced: ['dag'], ...never })

  t.strictSame(sent, [{ delivery: 'd', timeoutMs: 2, unannounced: ['dag'] }, block, { roots }])
})
