import { call } from './call.ts'
import { endlessFileBody, mib } from './content.ts'
import { startSides } from './harness.ts'
import { tellFigures } from './output.ts'
import { memoryOf } from './process-figures.ts'

const goalMib = 250
const sampleMs = 250
const gib = 1024 * mib

/** The peer's memory while much more than it is added through it. The first argument is how many GiB (5). */
export async function bench ([size = '5']: readonly string[]): Promise<void> {
  const gibs = Number(size)
  if (!(gibs > 0)) throw new Error('usage: npm run bench -- memory [GiB]')
  await using sides = await startSides()
  const samples: number[] = [(await memoryOf(sides.pid)).all]
  const sampler = setInterval(() => { memoryOf(sides.pid).then(({ all }) => samples.push(all), () => {}) }, sampleMs)
  const startMs = performance.now()
  await call(sides.peer, 'add?quieter=true', endlessFileBody(gibs * gib))
  clearInterval(sampler)

  const seconds = (performance.now() - startMs) / 1_000
  const half = samples.length >> 1
  const highest = (of: readonly number[]): number => Math.round(Math.max(...of))
  const goal = { atMost: goalMib }
  await tellFigures({ sides: sides.sides, title: `add of ${gibs} GiB` }, [
    { what: 'rate', unit: 'MB/s', value: gibs * gib / seconds / 1e6 },
    { what: 'resident before', unit: 'MiB', value: highest(samples.slice(0, 1)) },
    { what: 'resident at most in the first half', unit: 'MiB', value: highest(samples.slice(0, half)), goal },
    { what: 'resident at most in the second half', unit: 'MiB', value: highest(samples.slice(half)), goal }
  ])
}
