import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createBlockBatch } from './block-batch.ts'
import type { BlockService } from './block-service.ts'
import { codes } from './codecs.ts'
import { cidOf, hashByName } from './hashes.ts'

const block = Buffer.alloc(1 << 20)
const cid = cidOf(block, { version: 1, codec: codes.raw, hash: hashByName('sha2-256')! })

/** A store that is as slow as the test wants. */
function slowStore (): { readonly blocks: Pick<BlockService, 'put'>, readonly writing: PromiseWithResolvers<void>[] } {
  const writing: PromiseWithResolvers<void>[] = []
  const put = async (): Promise<void> => {
    const one = Promise.withResolvers<void>()
    writing.push(one)
    await one.promise
  }
  return { blocks: { put }, writing }
}

t.test('who puts more than may be on its way waits until half of it is written', async t => {
  const { blocks, writing } = slowStore()
  const batch = createBlockBatch(blocks)
  let puts = 0
  const putting = (async () => { for (; puts < 40; puts++) await batch.put(cid, block) })()
  await turn()
  const putAtFirst = puts

  for (const { resolve } of writing.slice(0, 16)) resolve()
  await turn()
  const putAfterSixteen = puts
  writing[16]!.resolve()
  await turn()

  t.equal(putAtFirst, 31)
  t.equal(putAfterSixteen, 31)
  t.equal(puts, 40)
  for (const { resolve } of writing) resolve()
  await Promise.all([putting, batch.written()])
})

t.test('what a block failed with is told at the end, after all others', async t => {
  const { blocks, writing } = slowStore()
  const batch = createBlockBatch(blocks)
  for (let i = 0; i < 3; i++) await batch.put(cid, block)
  let isTold = false

  const told = batch.written().catch((err: unknown) => { isTold = true; return err })
  writing[0]!.reject(new Error('disk full'))
  writing[1]!.resolve()
  await turn()
  const isToldEarly = isTold
  writing[2]!.resolve()

  t.match(await told, { message: 'disk full' })
  t.equal(isToldEarly, false)
})
