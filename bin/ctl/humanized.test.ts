import t from 'tap'
import { sizeText, whenText } from './humanized.ts'

t.test('sizes are rounded to what a person reads, as Go rounds', async t => {
  t.strictSame([0, 9, 10, 999, 1_000, 1_234, 82_854_982, 12_500_000, 13_500_000, 1_500_000_000].map(sizeText), ['0 B', '9 B', '10 B', '999 B', '1.0 kB', '1.2 kB', '83 MB', '12 MB', '14 MB', '1.5 GB'])
})

t.test('times are told from now on', async t => {
  t.strictSame([0, 1_000, 29_500, -61_000, -7_200_000, 86_400_000 * 3, -86_400_000 * 30 * 18, -86_400_000 * 360 * 40].map(ms => whenText(10 ** 12 + ms, 10 ** 12)), ['now', '1 second from now', '29 seconds from now', '1 minute ago', '2 hours ago', '3 days from now', '2 years ago', 'a long while ago'])
})
