import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const heap = fileURLToPath(new URL('./heap.ts', import.meta.url))

t.test('this Node still has what is set: V8 would read over a flag that it does not know', t => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })

  for (const flag of ['--external-memory-accounted-in-global-limit', '--semi-space-growth-factor', '--heap-growing-percent']) t.ok(known.includes(`${flag} `), flag)
  t.end()
})

t.test('the space for new objects stays small, so buffers that are done with are given back soon', t => {
  const untuned = newSpaceBytes('')
  const tuned = newSpaceBytes('tuneHeapForStreams()')

  t.ok(tuned < untuned / 4, `${tuned} bytes with it, ${untuned} without it`)
  t.end()
})

t.test('what was in use for a while is collected long before the heap has doubled', t => {
  const untuned = mostHeapBytes('')
  const tuned = mostHeapBytes('tuneHeapForStreams()')

  t.ok(tuned < untuned * 0.8, `${tuned} bytes with it, ${untuned} without it`)
  t.end()
})

/** The most that is taken while as many objects are alive at any time, each for a while. */
function mostHeapBytes (setUp: string): number {
  const program = `
    import { tuneHeapForStreams } from ${JSON.stringify(heap)}
    ${setUp}
    const alive = []
    let most = 0
    for (let i = 0; i < 4e6; i++) {
      alive[i % 5e5] = { i, text: 'x' + i }
      if (i % 1e5 === 0) most = Math.max(most, process.memoryUsage().heapUsed)
    }
    process.stdout.write(String(most))`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }))
}

/** While many objects live for a while: the least of several looks, for V8 keeps what is being collected besides. */
function newSpaceBytes (setUp: string): number {
  const program = `
    import { tuneHeapForStreams } from ${JSON.stringify(heap)}
    import { getHeapSpaceStatistics } from 'node:v8'
    ${setUp}
    const alive = []
    let least = Infinity
    for (let i = 0; i < 4e6; i++) {
      alive[i % 2e5] = { i }
      if (i > 2e6 && i % 2e5 === 0) least = Math.min(least, getHeapSpaceStatistics().find(space => space.space_name === 'new_space').space_size)
    }
    process.stdout.write(String(least))`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }))
}
