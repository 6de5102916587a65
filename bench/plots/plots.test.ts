import t from 'tap'
import type { Figure } from '../history.ts'
import { barsSvg } from './bars.ts'
import { curvesSvg } from './curves.ts'
import { growthCurves } from './growth.ts'
import { barOf, lastResults, resultsTable } from './results.ts'

const figure = (given: Partial<Figure>): Figure =>
  ({ at: '2026-11-23T00:00:00.000Z', commit: 'abc', machine: '2 × cpu', sides: 'Kubo', title: 'cat', name: 'rate', unit: 'MB/s', bare: 100, peer: 90, ...given })

t.test('of each figure the last run stands, with each of its goals', async t => {
  const results = lastResults([
    figure({ peer: 10, goals: { bare: { atLeast: 0.9 } } }),
    figure({ peer: 95, goals: { bare: { atLeast: 0.9 }, itself: { atLeast: 200 } } }),
    figure({ name: 'p99' }),
    figure({ sides: 'the embedded daemon', name: 'p50', goals: { bare: { atMost: 1 } } })
  ])

  t.match(results, [{ to: 'itself', value: 95 }, { to: 'bare', value: 0.95 }])
  t.match(resultsTable(results), /\| cat: rate \| 100 \| – \| – \| 95\.0 \| MB\/s \| 95\.0 MB\/s \(≥ 200\.00\) \*\*missed\*\*<br>0\.95× bare \(≥ 0\.90\) \| 2026-11-23, abc \|$/)
})

t.test('where something grew, the largest stands', async t => {
  const grown = (value: number, peer: number): Figure => figure({ title: `${value} pins`, peer, goals: { itself: { atLeast: 1 } }, over: { what: 'pins', value } })

  t.match(lastResults([grown(1_000, 1), grown(100_000, 2), grown(100_000, 3), grown(10_000, 4)]), [{ value: 3 }])
})

t.test('a bar is as long as the goal is surpassed, for rates and for times', async t => {
  const [rate] = lastResults([figure({ peer: 180, goals: { bare: { atLeast: 0.9 } } })])
  const [time] = lastResults([figure({ unit: 'ms', peer: 200, goals: { bare: { atMost: 1 } } })])

  t.equal(barOf(rate!).score, 2)
  t.equal(barOf(time!).score, 0.5)
  t.match(barsSvg('a < b', [barOf(rate!), barOf(time!)]), /^<svg [^]*a &lt; b[^]*fill="#2da44e"[^]*fill="#cf222e"[^]*<\/svg>\n$/)
})

t.test('a curve goes through the last figure of each size, in their order', async t => {
  const grown = (value: number, peer: number): Figure => figure({ over: { what: 'connections', value }, name: 'requests', unit: '1/s', peer })

  const curves = growthCurves([grown(8, 20), grown(1, 5), grown(8, 30)]).get('growth-connections-rate')!

  t.match(curves.curves, [{ name: 'bare daemon' }, { name: 'through a peer', points: [{ x: 1, y: 5 }, { x: 8, y: 30 }] }])
  t.match(curvesSvg(curves), /<polyline [^]*<circle/)
  t.equal(curvesSvg(curves), curvesSvg(curves))
})
