import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const heap = fileURLToPath(new URL('./heap.ts', import.meta.url))

t.test('buffers that stream through the process hardly ever make V8 walk the whole heap', t => {
  const untuned = collections('')
  const tuned = collections('tuneHeapForStreams()')

  t.ok(untuned > 3, `${untuned} walks of the heap for 1 GiB without it`)
  t.ok(tuned * 3 < untuned, `${tuned} with it`)
  t.end()
})

/** How often a process in which 1 GiB pass in short-lived buffers collects its whole heap. */
function collections (setUp: string): number {
  const program = `
    import { tuneHeapForStreams } from ${JSON.stringify(heap)}
    import { constants, PerformanceObserver } from 'node:perf_hooks'
    import { setImmediate } from 'node:timers/promises'
    ${setUp}
    let major = 0
    new PerformanceObserver(list => { for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) major++ }).observe({ entryTypes: ['gc'] })
    for (let i = 0; i < 16384; i++) {
      Buffer.allocUnsafeSlow(65536).fill(i)
      await setImmediate()
    }
    process.stdout.write(String(major))`
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }))
}
