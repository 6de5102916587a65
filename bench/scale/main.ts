import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cleanEnv } from '../../ipfs-compat-tests/harness/process.ts'
import { temporaryFolder } from '../../ipfs-compat-tests/harness/folder.ts'
import { secondsOf } from '../harness.ts'
import { tellFigures } from '../output.ts'
import type { OwnFigure } from '../output.ts'
import { watchMemory } from '../process-figures.ts'
import { median } from '../report.ts'
import { startPeers } from './peers.ts'
import type { ScalePeer } from './peers.ts'
import { cidOf, takenOf, writePins } from './pins.ts'

const peerCount = 3
const asked = 200
const listings = 5
const restMs = 20_000
const lookEveryMs = 500
/** Nothing here takes so long that is not broken. */
const patienceMs = 3_600_000
const service = fileURLToPath(new URL('../../bin/ipfs-cluster-service.ts', import.meta.url))

/** Many pins (`--pins`, a million) in a cluster of three peers whose daemons answer at once. What it keeps on the disk is in TMPDIR. */
export async function bench (args: readonly string[]): Promise<void> {
  const { pins: written } = parseArgs({ args: [...args], options: { pins: { type: 'string', default: '1000000' } } }).values
  const count = Number(written)
  if (!Number.isSafeInteger(count) || count < 1_000) throw new Error('usage: npm run bench -- scale [--pins N], of which there are 1,000 at least')
  await using folder = await temporaryFolder()
  await using cluster = await startPeers(folder.path, peerCount)
  const { peers } = cluster
  say(`${peerCount} peers, ${count.toLocaleString('en')} pins that go everywhere; ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}`)

  const figures: OwnFigure[] = []
  figures.push(...await ingest(peers, folder.path, count))
  figures.push(...await query(peers[1]!, count))
  figures.push(...await restart(peers, count))
  await tellFigures({ sides: 'peers whose daemons answer at once', title: `${count.toLocaleString('en')} pins, ${peerCount} peers`, over: { what: 'pins', value: count } }, figures)
}

async function ingest (peers: readonly ScalePeer[], folder: string, count: number): Promise<readonly OwnFigure[]> {
  const file = join(folder, 'pins.json')
  await writePins(file, count)
  using memory = watchMemory(peers)
  const begunCpu = await cpuOf(peers)
  const begunMs = performance.now()
  const { readMs, tenthsMs } = await importPins(peers[0]!, file, count)
  const agreedMs = performance.now()
  say(`agreed on after ${seconds(agreedMs - begunMs)} s, of which reading the file took ${seconds(readMs)} s; resident at most ${Math.round(memory.most().all)} MiB`)
  await until('all peers have all pins', async () => (await Promise.all(peers.map(async peer => await peer.pins()))).every(pins => pins === count))
  const agreedCpu = await cpuOf(peers)
  await until('all daemons have all pins', async () => {
    const held = await Promise.all(peers.map(async peer => await peer.held()))
    say(`held after ${seconds(performance.now() - begunMs)} s: ${held.map(pins => pins.toLocaleString('en')).join(', ')}`)
    return held.every(pins => pins === takenOf(count))
  }, 10_000)
  const heldMs = performance.now()
  const heldCpu = await cpuOf(peers)
  const importMs = agreedMs - begunMs - readMs
  const most = memory.most()
  return [
    { what: 'state import: pins agreed on and applied', unit: 'pins/s', value: count / importMs * 1_000, goal: { atLeast: 5_000 } },
    ...Number.isNaN(tenthsMs.last) ? [] : [
      { what: '  the first tenth', unit: 'pins/s', value: count / 10 / tenthsMs.first * 1_000 },
      { what: '  the last tenth', unit: 'pins/s', value: count / 10 / tenthsMs.last * 1_000 }
    ],
    { what: '  with reading the file', unit: 'pins/s', value: count / (agreedMs - begunMs) * 1_000 },
    { what: '  processor time of all peers meanwhile', unit: 'µs/pin', value: (agreedCpu - begunCpu) / count * 1e6 },
    { what: 'held by all three daemons, from the start', unit: 'pins/s', value: count / (heldMs - begunMs) * 1_000 },
    { what: '  processor time of all peers', unit: 'µs/pin', value: (heldCpu - begunCpu) / count * 1e6 },
    { what: 'resident at most, of any peer', unit: 'MiB', value: most.all, goal: { atMost: 600 } },
    { what: '  of it mapped files: the store, and node itself', unit: 'MiB', value: most.files }
  ]
}

/** Through the peer that runs on the folder, as an operator does it. Times are those of the program's own lines, one for each 10,000 pins. */
async function importPins (peer: ScalePeer, file: string, count: number): Promise<{ readonly readMs: number, readonly tenthsMs: { readonly first: number, readonly last: number } }> {
  const begunMs = performance.now()
  const child = spawn(process.execPath, [service, '--config', peer.folder, 'state', 'import', file], { env: cleanEnv(), stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  const importedMs = new Map([[0, 0]])
  let readMs = 0
  for await (const line of createInterface({ input: child.stderr })) {
    const nowMs = performance.now() - begunMs
    const imported = /^ +(\d+) of \d+ pins imported/.exec(line)?.[1]
    if (imported !== undefined) importedMs.set(Number(imported), nowMs)
    else if (/^ +\d+ pins read/.test(line)) readMs = nowMs
    else say(line)
  }
  await closed
  if (child.exitCode !== 0) throw new Error(`state import ended with ${child.exitCode}`)
  importedMs.set(0, readMs).set(count, performance.now() - begunMs)
  const at = (pins: number): number => importedMs.get(pins) ?? NaN
  return { readMs, tenthsMs: { first: at(count / 10) - at(0), last: at(count) - at(count * 0.9) } }
}

async function query (peer: ScalePeer, count: number): Promise<readonly OwnFigure[]> {
  const statusMs: number[] = []
  for (let i = 0; i < asked; i++) {
    const url = `${peer.rest}/pins/${cidOf(Math.floor(Math.random() * count)).toString()}`
    statusMs.push(await secondsOf(async () => { await (await fetch(url)).json() }) * 1_000)
  }
  const sorted = statusMs.sort((a, b) => a - b)
  return [
    { what: 'status of one pin, median', unit: 'ms', value: median(sorted), goal: { atMost: 5 } },
    { what: '  99 of 100', unit: 'ms', value: sorted[Math.floor(asked * 0.99)]! },
    { what: 'first line of status --filter pinned', unit: 'ms', value: await firstLineMs(`${peer.rest}/pins?filter=pinned`), goal: { atMost: 100 } },
    ...takenOf(count) < count ? [{ what: 'first line of status --filter error', unit: 'ms', value: await firstLineMs(`${peer.rest}/pins?filter=error`), goal: { atMost: 100 } }] : []
  ]
}

/** The worst of some. */
async function firstLineMs (url: string): Promise<number> {
  const timesMs: number[] = []
  for (let i = 0; i < listings; i++) {
    const leaving = new AbortController()
    timesMs.push(await secondsOf(async () => {
      const { body } = await fetch(url, { signal: leaving.signal })
      const { done } = await body!.getReader().read()
      if (done) throw new Error(`${url} answered nothing`)
    }) * 1_000)
    leaving.abort()
  }
  return Math.max(...timesMs)
}

/** All at once. A peer is ready when `/health/ready` says so, which wants a leader and the daemon. */
async function restart (peers: readonly ScalePeer[], count: number): Promise<readonly OwnFigure[]> {
  await Promise.all(peers.map(async peer => { await peer.stop() }))
  const readySeconds = await Promise.all(peers.map(async peer => await secondsOf(async () => {
    await peer.start()
    await until('it is ready', async () => (await fetch(`${peer.rest}/health/ready`)).status === 204, 50)
  })))
  using memory = watchMemory(peers)
  await until('all peers have all pins', async () => (await Promise.all(peers.map(async peer => await peer.pins()))).every(pins => pins === count))
  await setTimeout(restMs)
  const most = memory.most()
  const after = await Promise.all(peers.map(async peer => await peer.memory()))
  return [
    { what: 'start of all three at once, the slowest', unit: 's', value: Math.max(...readySeconds), goal: { atMost: 15 } },
    { what: `resident at most in the ${restMs / 1_000} s after it`, unit: 'MiB', value: most.all, goal: { atMost: 600 } },
    { what: '  of it mapped files', unit: 'MiB', value: most.files },
    { what: 'resident then', unit: 'MiB', value: Math.max(...after.map(({ all }) => all)), goal: { atMost: 600 } }
  ]
}

async function cpuOf (peers: readonly ScalePeer[]): Promise<number> {
  return (await Promise.all(peers.map(async peer => await peer.cpuSeconds()))).reduce((sum, spent) => sum + spent)
}

async function until (what: string, isSo: () => Promise<boolean>, everyMs = lookEveryMs): Promise<void> {
  const begunMs = performance.now()
  while (!await isSo()) {
    if (performance.now() - begunMs > patienceMs) throw new Error(`waited for an hour: ${what}`)
    await setTimeout(everyMs)
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)
const say = (line: string): void => { process.stderr.write(`${line}\n`) }
