import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openHeadroom } from './headroom.ts'

t.test('there is always room for what was asked for, and who knows how much is used is asked only when it might not suffice', async t => {
  const path = join(t.testdir(), 'store')
  let used = 100_000
  let questions = 0
  await using headroom = await openHeadroom(path, () => { questions++; return used })
  const bytes = 50_000
  const grown = 200

  for (let transaction = 1; transaction <= grown; transaction++) {
    await headroom.ensure(bytes)
    t.ok((await stat(path)).size >= used + bytes)
    used += transaction % 3 === 0 ? bytes : 1_000 // a transaction needs less than it asks for, mostly
    headroom.taken(bytes)
  }

  t.ok(questions < grown / 10)
})

t.test('room that is there already takes no waiting', async t => {
  await using headroom = await openHeadroom(join(t.testdir(), 'store'), () => 0)
  await headroom.ensure(10)

  t.equal(headroom.ensure(10), undefined)
})
