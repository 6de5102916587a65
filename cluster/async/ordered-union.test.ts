import t from 'tap'
import { orderedUnion } from './ordered-union.ts'

t.test('what several sources have is told once, and all in order', async t => {
  t.strictSame([...orderedUnion([['b', 'c', 'f'], [], ['a', 'c', 'd'], ['c']])], ['a', 'b', 'c', 'd', 'f'])
  t.strictSame([...orderedUnion([])], [])
})

t.test('who leaves early lets go of all sources', async t => {
  let open = 2
  function * source (): Generator<string, void, undefined> {
    try {
      yield * ['a', 'b']
    } finally {
      open--
    }
  }

  for (const _first of orderedUnion([source(), source()])) break

  t.equal(open, 0)
})
