/**
 * What agreeing costs a peer that is alone: changes of the pinset through the engine, beside the same changes made to a pinset directly, by as many
 * writers on the same disk. Those transactions are what any log of one voter has to pay at least, so the ratio holds on every machine.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { raftSection } from '../../cluster/consensus/config.ts'
import { createRaftConsensus } from '../../cluster/consensus/raft-consensus.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import type { Store } from '../../cluster/store/store.ts'
import { muteListener } from '../../ipfs-compat-tests/harness/mute-listener.ts'
import { pinOf, self } from '../../ipfs-compat-tests/harness/pins.ts'
import { median } from '../report.ts'
import { closedLoop } from './load.ts'
import type { Measured } from './load.ts'

/** Put again and again, in turn. */
const pinCount = 20_000
const pins = Array.from({ length: pinCount }, (_, i) => pinOf(i))
const { signal } = new AbortController()

interface Side extends AsyncDisposable { readonly change: (number: number) => Promise<void> }
interface Round extends Measured { readonly cpuMicros: number }
interface Settings { readonly rounds: number, readonly loads: readonly number[], readonly warmUpMs: number, readonly measureMs: number, readonly folder: string }

export async function benchSingleVoter (settings: Settings): Promise<void> {
  const rows: Record<string, string>[] = []
  for (const clients of settings.loads) {
    const bare: Round[] = []
    const ours: Round[] = []
    for (let round = 0; round < settings.rounds; round++) {
      for (const [open, results] of round % 2 === 0 ? [[openBare, bare], [openEngine, ours]] as const : [[openEngine, ours], [openBare, bare]] as const) {
        results.push(await measured(open, clients, settings))
      }
    }
    rows.push(row(clients, bare, ours))
  }
  console.table(rows)
}

async function measured (open: (folder: string) => Promise<Side>, clients: number, { warmUpMs, measureMs, folder }: Settings): Promise<Round> {
  const own = await mkdtemp(join(folder, 'single-'))
  try {
    await using side = await open(own)
    await closedLoop(side.change, { clients, warmUpMs: 0, measureMs: warmUpMs })
    const before = process.cpuUsage()
    const measured = await closedLoop(side.change, { clients, warmUpMs: 0, measureMs })
    const { user, system } = process.cpuUsage(before)
    return { ...measured, cpuMicros: (user + system) / (measured.perSecond * measureMs / 1_000) }
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

async function openEngine (folder: string): Promise<Side> {
  const store = await startedStore(folder)
  const consensus = createRaftConsensus(
    { store, state: createPinset({ store }), applied: muteListener, self, log: silentLogger, failed (err) { throw err } },
    { ...raftSection({}, {}), folder: join(folder, 'raft'), found: () => true }
  )
  await consensus.start({ signal })
  let next = 0
  return {
    async change () { await consensus.log([{ kind: 'pin', pin: pins[next++ % pinCount]! }], { signal }) },
    async [Symbol.asyncDispose] () {
      await consensus[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    }
  }
}

async function openBare (folder: string): Promise<Side> {
  const store = await startedStore(folder)
  const state = createPinset({ store })
  let next = 0
  return {
    async change () {
      const number = next++
      await state.apply([{ ops: [{ kind: 'pin', pin: pins[number % pinCount]! }], index: BigInt(number + 1) }])
    },
    async [Symbol.asyncDispose] () { await store[Symbol.asyncDispose]() }
  }
}

async function startedStore (folder: string): Promise<Store> {
  const store = createStore({ folder })
  await store.start({ signal })
  return store
}

function row (clients: number, bare: readonly Round[], ours: readonly Round[]): Record<string, string> {
  const of = (rounds: readonly Round[], pick: (round: Round) => number): number => median(rounds.map(pick))
  const [bareRate, ourRate] = [of(bare, round => round.perSecond), of(ours, round => round.perSecond)]
  const [bareCpu, ourCpu] = [of(bare, round => round.cpuMicros), of(ours, round => round.cpuMicros)]
  return {
    writers: String(clients),
    'bare /s': bareRate.toFixed(0),
    'engine /s': ourRate.toFixed(0),
    ratio: (ourRate / bareRate).toFixed(2),
    'bare p50': of(bare, round => round.p50Ms).toFixed(2),
    'engine p50': of(ours, round => round.p50Ms).toFixed(2),
    'bare CPU µs': bareCpu.toFixed(0),
    'engine CPU µs': ourCpu.toFixed(0),
    'CPU ratio': (ourCpu / bareCpu).toFixed(2)
  }
}
