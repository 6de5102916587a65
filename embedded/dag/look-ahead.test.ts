import type { CID } from 'multiformats/cid'
import t from 'tap'
import { createMemoryStores } from '../store/memory-stores.ts'
import { createBlockService } from './block-service.ts'
import type { Deliver } from './block-service.ts'
import { cidOf, hashByName } from './hashes.ts'
import { lookAhead } from './look-ahead.ts'

const { signal } = new AbortController()
const all = Array.from({ length: 100 }, (_, i) => {
  const bytes = Buffer.from(`block ${i}`)
  return { bytes, cid: cidOf(bytes, { version: 1, codec: 0x55, hash: hashByName('sha2-256')! }) }
})

function wanting () {
  const wanted = new Map<string, Deliver>()
  const blocks = createBlockService(createMemoryStores('memory').blocks, {
    want (cid, deliver) { wanted.set(cid.toString(), deliver) },
    unwant (cid) { wanted.delete(cid.toString()) },
    announce () {}
  })
  return { wanted, blocks }
}
const later = (from: number) => (i: number): CID | undefined => all[from + i]?.cid

t.test('what comes next is asked for as well, within bounds, and given up when it is not needed', async t => {
  const { wanted, blocks } = wanting()
  const ahead = lookAhead(blocks, { signal, offline: false })

  const getting = ahead.get(all[0]!.cid, later(1))

  t.strictSame([...wanted.keys()].sort(), all.slice(0, 33).map(({ cid }) => cid.toString()).sort())
  await wanted.get(all[0]!.cid.toString())!(all[0]!.bytes)
  t.same(await getting, all[0]!.bytes)
  await ahead[Symbol.asyncDispose]()
  t.equal(wanted.size, 0)
})

t.test('what is here already is not asked for', async t => {
  const { wanted, blocks } = wanting()
  for (const { cid, bytes } of all.slice(1, 40)) await blocks.put(cid, bytes)
  await using ahead = lookAhead(blocks, { signal, offline: false })

  const getting = ahead.get(all[0]!.cid, later(1))
  await wanted.get(all[0]!.cid.toString())!(all[0]!.bytes)
  await getting

  t.strictSame([...wanted.keys()], [])
})

t.test('offline nothing is asked for', async t => {
  const { wanted, blocks } = wanting()
  await using ahead = lookAhead(blocks, { signal, offline: true })

  await t.rejects(ahead.get(all[0]!.cid, later(1)), { message: /^block was not found locally \(offline\)/ })

  t.equal(wanted.size, 0)
})
