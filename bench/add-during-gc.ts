import { call, callJson } from './call.ts'
import { fileBody, mib, randomBytes } from './content.ts'
import { secondsOf, startSides } from './harness.ts'
import type { Side } from './harness.ts'
import { say } from './output.ts'
import { median } from './report.ts'

const size = 32 * mib
const adds = 8

/** Adds while the daemon collects garbage without pause: nothing that was acknowledged may be missing, and both have to come to an end. */
export async function bench (): Promise<void> {
  await using sides = await startSides()
  for (const side of [sides.bare, sides.peer]) {
    const collecting = new AbortController()
    const collector = collect(sides.bare, collecting.signal)
    const roots: string[] = []
    const seconds: number[] = []
    for (let i = 0; i < adds; i++) {
      const body = fileBody(randomBytes(size))
      seconds.push(await secondsOf(async () => { roots.push((await callJson(side, 'add?quieter=true', body)).at(-1).Hash) }))
    }
    collecting.abort()
    const collections = await collector
    const lost = await missing(sides.bare, roots)
    say(`${side.name}: ${adds} adds of 32 MiB while ${collections} collections ran: median ${(median(seconds)).toFixed(2)} s each, ${lost} lost\n`)
    if (lost > 0) process.exitCode = 1
  }
}

async function collect (bare: Side, signal: AbortSignal): Promise<number> {
  let collections = 0
  while (!signal.aborted) {
    await call(bare, 'repo/gc?quiet=true')
    collections++
  }
  return collections
}

/** How many roots are not pinned, or not whole in the daemon itself. */
async function missing (bare: Side, roots: readonly string[]): Promise<number> {
  let lost = 0
  for (const root of roots) {
    const isThere = await callJson(bare, `pin/ls?arg=${root}&type=recursive`).then(() => true, () => false)
    const isWhole = await call(bare, `dag/stat?arg=${root}&offline=true&progress=false`).then(() => true, () => false)
    if (!isThere || !isWhole) lost++
  }
  return lost
}
