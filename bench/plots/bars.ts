import { bad, faint, good, ink, line, rect, svg, text } from './svg.ts'

export interface Bar {
  readonly label: string
  /** What was measured, and the goal, in words. */
  readonly said: string
  /** 1 where the goal is just reached, 2 where it is surpassed twofold. */
  readonly score: number
}

const rowHeight = 22
const labelWidth = 600
const barsWidth = 300
const saidWidth = 250
const scoreMax = 3
const top = 50

/** A bar for each goal; those that end left of the line miss theirs. What is better than three times its goal ends there. */
export function barsSvg (title: string, bars: readonly Bar[]): string {
  const width = labelWidth + barsWidth + saidWidth
  const height = top + bars.length * rowHeight + 10
  const xOf = (score: number): number => labelWidth + Math.min(score, scoreMax) / scoreMax * barsWidth
  return svg(width, height, [
    text({ x: 10, y: 20 }, title, { weight: 'bold' }),
    text({ x: xOf(1), y: top - 8 }, 'the goal', { anchor: 'middle' }),
    ...[2, 3].map(score => line({ x: xOf(score), y: top }, { x: xOf(score), y: height - 10 }, faint)),
    ...bars.flatMap(({ label, said, score }, row) => {
      const y = top + row * rowHeight
      return [
        text({ x: labelWidth - 10, y: y + 15 }, label, { anchor: 'end' }),
        rect({ x: labelWidth, y: y + 4 }, Math.max(1, xOf(score) - labelWidth), rowHeight - 8, score >= 1 ? good : bad),
        text({ x: labelWidth + barsWidth + 10, y: y + 15 }, said)
      ]
    }),
    line({ x: xOf(1), y: top }, { x: xOf(1), y: height - 10 }, ink, 2)
  ])
}
