import t from 'tap'
import { cidOf, other } from '../ipfs-compat-tests/harness/pins.ts'
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
  return { events, told, parts: { ipfs, tracker } }
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
