import t from 'tap'
import { createBlockService } from '../dag/block-service.ts'
import type { BlockService, ReadOptions } from '../dag/block-service.ts'
import { hashByName } from '../dag/hashes.ts'
import { createMemoryStores } from '../store/memory-stores.ts'
import type { Written } from '../unixfs/node-writer.ts'
import { entriesOf } from './folder.ts'
import { writerFor } from './mfs-node.ts'
import { asFolder, openMfs } from './tree.ts'
import type { MfsTree } from './tree.ts'

const format = { cidVersion: 0, hash: hashByName('sha2-256')! } as const
const options: ReadOptions = { signal: new AbortController().signal, offline: true }
/** Entries of some sixty bytes: shards from the fourth on. */
const layout = { linksMax: 0, fanout: 8, shardSizeBytes: 200, shardEstimation: 'links' } as const
const names = Array.from({ length: 60 }, (_, i) => `an entry with a long name ${i}`)

async function open (): Promise<{ tree: MfsTree, blocks: BlockService, entry: Written, reopen: () => Promise<MfsTree> }> {
  const stores = createMemoryStores('memory')
  const blocks = createBlockService(stores.blocks, undefined)
  const reopen = async (): Promise<MfsTree> => await openMfs(stores, blocks, format, layout)
  const entry = await writerFor(format, true, blocks).leaf(Buffer.from('content'), 'raw')
  return { tree: await reopen(), blocks, entry, reopen }
}

t.test('a tree that is opened again has what was put into it', async t => {
  const { tree, entry, reopen } = await open()
  await tree.put('/folder', await tree.emptyFolder(format), options)
  await tree.put('/folder/file', entry, options)

  const again = await reopen()

  t.ok(again.root().equals(tree.root()))
  t.ok((await again.lookup('/folder/file', options)).written.cid.equals(entry.cid))
})

t.test('a folder of shards is the same whatever the order in which its entries came', async t => {
  const one = await open()
  const other = await open()

  for (const name of names) await one.tree.put(`/${name}`, one.entry, options)
  for (const name of names.toReversed()) await other.tree.put(`/${name}`, other.entry, options)

  t.equal(asFolder(await one.tree.lookup('/', options)).data.type, 'shard')
  t.ok(one.tree.root().equals(other.tree.root()))
  t.equal((await Array.fromAsync(entriesOf(asFolder(await one.tree.lookup('/', options)), { ...one, options }))).length, names.length)
})

t.test('a folder that loses its entries is one node again, as if it had never been large', async t => {
  const { tree, entry } = await open()
  for (const name of names.slice(0, 2)) await tree.put(`/${name}`, entry, options)
  const small = tree.root()
  for (const name of names.slice(2)) await tree.put(`/${name}`, entry, options)

  for (const name of names.slice(2)) await tree.put(`/${name}`, undefined, options)

  t.ok(tree.root().equals(small))
})

t.test('a path through a file is refused, and one that is not there is not found', async t => {
  const { tree, entry } = await open()
  await tree.put('/file', entry, options)

  await t.rejects(tree.lookup('/file/x', options), { message: 'cannot access file/x: Not a directory' })
  await t.rejects(tree.lookup('/none', options), { message: 'file does not exist' })
})

t.test('changes that nobody flushed are so many at most, until one is flushed', async t => {
  const { tree } = await open()
  for (let i = 0; i < 256; i++) tree.countUnflushed(false)

  t.throws(() => { tree.countUnflushed(false) }, { message: /^reached limit of 256 unflushed MFS operations/ })
  tree.countUnflushed(true)
  t.doesNotThrow(() => { tree.countUnflushed(false) })
})
