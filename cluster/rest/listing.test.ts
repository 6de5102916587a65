import t from 'tap'
import { cidOf } from '../../ipfs-compat-tests/harness/pins.ts'
import { cidKeyText } from '../api/cid-key.ts'
import { eachInOrder, pageOf } from './listing.ts'

const items = Array.from({ length: 10 }, (_, i) => ({ cid: cidOf(i) })).sort((a, b) => cidKeyText(a.cid) < cidKeyText(b.cid) ? -1 : 1)

async function * source (): AsyncGenerator<typeof items[number]> { yield * items }

t.test('a page begins behind a CID and ends at its limit, and the source is left then', async t => {
  let isLeft = false
  async function * watched () {
    try { yield * items } finally { isLeft = true }
  }

  t.strictSame(await Array.fromAsync(pageOf(source(), { limit: undefined, after: undefined })), items)
  t.strictSame(await Array.fromAsync(pageOf(watched(), { limit: 3, after: items[1]!.cid })), items.slice(2, 5))
  t.ok(isLeft)
})

t.test('answers come in the order of the questions, of which so many are under way at once', async t => {
  let [underWay, most] = [0, 0]
  const answers = await Array.fromAsync(eachInOrder([30, 1, 20, 2, 10, 3], 3, async turns => {
    most = Math.max(most, ++underWay)
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    underWay--
    return turns
  }))

  t.strictSame(answers, [30, 1, 20, 2, 10, 3])
  t.equal(most, 3)
})

t.test('a question that fails does so when its turn has come', async t => {
  const answers: number[] = []

  await t.rejects(async () => { for await (const answer of eachInOrder([1, 2, 3], 3, async n => { if (n === 2) throw new Error('no'); return n })) answers.push(answer) }, { message: 'no' })

  t.strictSame(answers, [1])
})
