import t from 'tap'
import { median, reportText } from './report.ts'

t.test('the median of an even number of values lies between the two in the middle', async t => {
  t.strictSame([median([3, 1, 2]), median([4, 1, 3, 2])], [2, 2.5])
})

t.test('a table says medians, ratio, spread and whether the goal was reached', async t => {
  const text = reportText('things', { bare: [{ rate: 100, p50: 1 }, { rate: 120, p50: 1 }], peer: [{ rate: 55, p50: 2 }, { rate: 55, p50: 2 }] }, {
    rate: { unit: '1/s', goals: { bare: { atLeast: 0.5 } } },
    p50: { unit: 'ms', goals: { bare: { atMost: 1.6 } } }
  })

  t.match(text, /^things\n/)
  t.match(text, /rate \(1\/s\) +110 +55\.0 +0\.50× +±9% \/ ±0% +≥ 0\.50× bare reached/)
  t.match(text, /p50 \(ms\) +1\.00 +2\.00 +2\.00× +±0% \/ ±0% +≤ 1\.60× bare MISSED/)
})

t.test('a table of more sides has a ratio to each, and a dash for what a side does not have', async t => {
  const text = reportText('things', { bare: [{ rate: 100 }], limit: [{ rate: 50 }], peer: [{ rate: 40, CPU: 2 }] }, {
    rate: { unit: '1/s', goals: { bare: { atLeast: 0.5 }, limit: { atLeast: 0.5 }, against: { atLeast: 1 } } },
    CPU: { unit: 's', goals: { itself: { atMost: 3 } } },
    nothing: { unit: 's' }
  })

  t.match(text, / +bare +limit +peer +÷ bare +÷ limit +spread +goal\n/)
  t.match(text, /rate \(1\/s\) +100 +50\.0 +40\.0 +0\.40× +0\.80× +±0% \/ ±0% \/ ±0% +≥ 0\.50× bare MISSED, ≥ 0\.50× limit reached\n/)
  t.notMatch(text, /nothing/)
  t.match(text, /CPU \(s\) +– +– +2\.00 +– +– +– \/ – \/ ±0% +≤ 3\.00 reached\n/)
})
