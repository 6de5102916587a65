import t from 'tap'
import { asTheyCome } from './as-they-come.ts'

t.test('what is there first comes first', async t => {
  const slow = Promise.withResolvers<string>()
  const answers = asTheyCome([slow.promise, Promise.resolve('quick')])

  const first = await answers.next()
  slow.resolve('slow')

  t.strictSame([first.value, ...await Array.fromAsync(answers)], ['quick', 'slow'])
})

t.test('one that fails is thrown after those that came before; none is an end', async t => {
  const seen: string[] = []

  await t.rejects(async () => { for await (const answer of asTheyCome([Promise.resolve('quick'), Promise.reject(new Error('no'))])) seen.push(answer) }, { message: 'no' })

  t.strictSame(seen, ['quick'])
  t.strictSame(await Array.fromAsync(asTheyCome([])), [])
})
