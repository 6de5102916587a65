import t from 'tap'
import { median, reportText } from './report.ts'

t.test('the median of an even number of values lies between the two in the middle', async t => {
  t.strictSame([median([3, 1, 2]), median([4, 1, 3, 2])], [2, 2.5])
})

t.test('a table says medians, ratio, spread and whether the goal was reached', async t => {
  const text = reportText('things', [{ rate: 100, p50: 1 }, { rate: 120, p50: 1 }], [{ rate: 55, p50: 2 }, { rate: 55, p50: 2 }], {
    rate: { unit: '1/s', goal: { atLeast: 0.5 } },
    p50: { unit: 'ms', goal: { atMost: 1.6 } }
  })

  t.match(text, /^things\n/)
  t.match(text, /rate \(1\/s\) +110 +55\.0 +0\.50× +±9% \/ ±0% +≥ 0\.50× reached/)
  t.match(text, /p50 \(ms\) +1\.00 +2\.00 +2\.00× +±0% \/ ±0% +≤ 1\.60× MISSED/)
})
