import type { Figure } from '../history.ts'
import type { SideName } from '../report.ts'
import type { Curve, Curves } from './curves.ts'

interface Drawn { readonly label: string, readonly name: string, readonly side: SideName }

/** A picture of what was measured while one thing grew, see `Figure.over`. */
interface Picture {
  readonly file: string
  readonly title: string
  readonly over: string
  readonly drawn: readonly Drawn[]
  readonly ceiling?: number
}

const ours = (label: string, name: string): Drawn => ({ label, name, side: 'peer' })

const pictures: readonly Picture[] = [
  { file: 'growth-pins-cost', title: 'Processor time a pin, all three peers together, µs', over: 'pins', drawn: [ours('until agreed on and applied', '  processor time of all peers meanwhile'), ours('until held by all daemons', '  processor time of all peers')] },
  { file: 'growth-pins-memory', title: 'Resident memory of the largest peer, MiB', over: 'pins', drawn: [ours('after a restart', 'resident then')], ceiling: 600 },
  { file: 'growth-upload-memory', title: 'Resident memory during one upload, MiB', over: 'GiB', drawn: [ours('the peer that is asked', 'the peer that is asked'), ours('the largest other', 'the largest other')], ceiling: 350 },
  { file: 'growth-peers-rate', title: 'Pins answered when agreed on, 32 at once, a second', over: 'peers', drawn: [ours('answered', 'answered')] },
  { file: 'growth-peers-cost', title: 'Processor time a pin on each peer, µs', over: 'peers', drawn: [ours('on each peer', 'processor time on each peer')] },
  { file: 'growth-connections-rate', title: 'Requests that pass, a second', over: 'connections', drawn: [{ label: 'bare daemon', name: 'requests', side: 'bare' }, ours('through a peer', 'requests')] },
  { file: 'growth-connections-p99', title: 'Requests that pass, 99 of 100 within, ms', over: 'connections', drawn: [{ label: 'bare daemon', name: 'p99', side: 'bare' }, ours('through a peer', 'p99')] }
]

/** Those for which there is something to draw, by the name of their file. */
export function growthCurves (figures: readonly Figure[]): ReadonlyMap<string, Curves> {
  const machine = figures.findLast(({ over }) => over !== undefined)?.machine
  const own = figures.filter(figure => figure.machine === machine)
  return new Map(pictures.flatMap(({ file, title, over, drawn, ceiling }) => {
    const curves = drawn.map(one => curveOf(own, over, one)).filter(({ points }) => points.length > 0)
    return curves.length === 0 ? [] : [[file, { title, xLabel: over, curves, ...ceiling !== undefined && { ceiling } }]]
  }))
}

/** Of each size the last. */
function curveOf (figures: readonly Figure[], what: string, { label, name, side }: Drawn): Curve {
  const last = new Map<number, number>()
  for (const figure of figures) {
    const y = figure[side]
    if (figure.over?.what === what && figure.name === name && y !== undefined) last.set(figure.over.value, y)
  }
  return { name: label, points: [...last].map(([x, y]) => ({ x, y })).sort((a, b) => a.x - b.x) }
}
