import { shown } from '../report.ts'
import { dot, faint, ink, line, palette, polyline, svg, text } from './svg.ts'
import type { Point } from './svg.ts'

/** In the order of `x`, of which none is 0. */
export interface Curve { readonly name: string, readonly points: readonly Point[] }

export interface Curves {
  readonly title: string
  readonly xLabel: string
  readonly curves: readonly Curve[]
  /** What the curves are to stay below. */
  readonly ceiling?: number
}

const width = 640
const height = 320
const frame = { left: 70, right: 45, top: 60, bottom: 50 } as const
const yTicks = 4

/** Along the logarithm of `x`, as what grows does so tenfold; `y` from 0, so that what is flat looks flat. */
export function curvesSvg ({ title, xLabel, curves, ceiling }: Curves): string {
  const xs = [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b)
  const yMax = niceAbove(Math.max(...curves.flatMap(({ points }) => points.map(({ y }) => y)), ceiling ?? 0))
  const [low, high] = [Math.log(xs[0]!), Math.log(xs.at(-1)!)]
  const [plotWidth, plotHeight] = [width - frame.left - frame.right, height - frame.top - frame.bottom]
  const place = ({ x, y }: Point): Point => ({ x: frame.left + (high === low ? 0.5 : (Math.log(x) - low) / (high - low)) * plotWidth, y: frame.top + (1 - y / yMax) * plotHeight })
  const bottom = height - frame.bottom

  return svg(width, height, [
    text({ x: 10, y: 20 }, title, { weight: 'bold' }),
    ...Array.from({ length: yTicks + 1 }, (_, i) => yMax / yTicks * i).flatMap(tick => {
      const { y } = place({ x: xs[0]!, y: tick })
      return [line({ x: frame.left, y }, { x: width - frame.right, y }, faint), text({ x: frame.left - 6, y: y + 4 }, tick === 0 ? '0' : shown(tick), { anchor: 'end' })]
    }),
    ...xs.map(x => text({ x: place({ x, y: 0 }).x, y: bottom + 18 }, x.toLocaleString('en'), { anchor: 'middle' })),
    text({ x: frame.left + plotWidth / 2, y: height - 12 }, xLabel, { anchor: 'middle' }),
    ...ceiling === undefined ? [] : [line(place({ x: xs[0]!, y: ceiling }), place({ x: xs.at(-1)!, y: ceiling }), ink), text({ x: width - frame.right, y: place({ x: xs[0]!, y: ceiling }).y - 4 }, 'the goal', { anchor: 'end' })],
    ...curves.flatMap(({ name, points }, i) => {
      const colour = palette[i % palette.length]!
      const placed = points.map(place)
      return [polyline(placed, colour), ...placed.map(point => dot(point, colour)), text({ x: frame.left + i * plotWidth / curves.length, y: 42 }, name, { fill: colour })]
    })
  ])
}

/** The next of 1, 2, 2.5, 5 and their tens. */
function niceAbove (value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 2.5, 5, 10].map(step => step * power).find(step => step >= value) ?? 10 * power
}
