import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon, DaemonOptions } from '../harness/kubo.ts'
import type { RecordedRequest } from '../harness/recordings/recording.ts'
import { sendRecorded } from '../harness/recordings/replay.ts'
import { differencesOf } from './differences.ts'
import type { Observed } from './differences.ts'
import { adminToken, guardedConfig } from './guarded.ts'
import { startSides } from './sides.ts'
import type { Side, Sides } from './sides.ts'
import { isSame, prepare, stateOf } from './state.ts'
import type { Prepared, State } from './state.ts'

/** A request that has no answer by then is given up on both sides. */
const answerTimeoutMs = 3_000
/** What both sides are given to come to the same state: what was given up is put back after the answer. */
const settleMs = 5_000

/** Where requests are tried. */
export interface Bench extends AsyncDisposable {
  readonly daemon: Daemon['kind']
  /** Sends the requests of a script to both sides, which hold the content of `content.ts` and nothing else. @returns what differed, of each request */
  run (script: readonly RecordedRequest[]): Promise<readonly (readonly string[])[]>
}

/** @param isGuarded the daemons are those of `guarded.ts` */
export async function openBench (isGuarded = false): Promise<Bench> {
  const start = (): Promise<Sides> => isGuarded ? startSides({ config: guardedConfig }, adminToken) : startSides()
  let held = await openPair(start)
  return {
    daemon: held.sides.kind,
    async run (script) {
      held = held.isSpoilt ? await reopen(held, start) : held
      const outcome = await runScript(script, held)
      const [bare, proxied] = await Promise.all(sidesOf(held).map(async ([side, prepared]) => await prepared.restore(await stateOf(side)).catch(() => false)))
      held = { ...held, isSpoilt: !(bare === true && proxied === true) }
      return outcome
    },
    [Symbol.asyncDispose]: () => held.sides[Symbol.asyncDispose]()
  }
}

interface Pair { readonly sides: Sides, readonly bare: Prepared, readonly proxied: Prepared, readonly isSpoilt: boolean }

async function openPair (start: () => Promise<Sides>): Promise<Pair> {
  const sides = await start()
  try {
    const [bare, proxied] = await Promise.all([prepare(sides.bare), prepare(sides.proxied)])
    return { sides, bare, proxied, isSpoilt: false }
  } catch (err) {
    await sides[Symbol.asyncDispose]()
    throw err
  }
}

async function reopen ({ sides }: Pair, start: () => Promise<Sides>): Promise<Pair> {
  await sides[Symbol.asyncDispose]()
  return await openPair(start)
}

const sidesOf = ({ sides, bare, proxied }: Pair): readonly [Side, Prepared][] => [[sides.bare, bare], [sides.proxied, proxied]]

async function runScript (script: readonly RecordedRequest[], pair: Pair): Promise<readonly (readonly string[])[]> {
  const outcome: (readonly string[])[] = []
  for (const request of script) {
    const [bare, proxied] = sidesOf(pair).map(([side, { values }]) => ({ ...side, values: { ...values, ...side.values } }))
    const { differences, areEqual } = await compareOnce(request, bare!, proxied!)
    outcome.push(differences)
    if (!areEqual) break // what comes later cannot be compared
  }
  return outcome
}

interface Comparison { readonly differences: readonly string[], readonly areEqual: boolean }

/** Sends one request to both sides and compares what came of it. */
async function compareOnce (request: RecordedRequest, bare: Side, proxied: Side): Promise<Comparison> {
  const [a, b] = await Promise.all([answerOf(request, bare), answerOf(request, proxied)])
  const [stateA, stateB] = await settledStates(bare, proxied)
  const differences = differencesOf(request, { answer: a, state: stateA, values: bare.values }, { answer: b, state: stateB, values: proxied.values })
  return { differences, areEqual: stateA !== undefined && stateB !== undefined && isSame(stateA, stateB) }
}

async function answerOf (request: RecordedRequest, side: Side): Promise<Observed['answer']> {
  try {
    return await sendRecorded(request, side, { timeoutMs: answerTimeoutMs })
  } catch (err) {
    return { failure: String(err) }
  }
}

async function settledStates (bare: Side, proxied: Side): Promise<readonly (State | undefined)[]> {
  const untilMs = performance.now() + settleMs
  while (true) {
    const [a, b] = await Promise.all([bare, proxied].map(side => stateOf(side).catch(() => undefined)))
    if (a === undefined || b === undefined || isSame(a, b) || performance.now() > untilMs) return [a, b]
    await sleep(50) // nobody tells when a pin that was given up has been put back
  }
}

const leftBehind = /^blocks afterwards: .*, too many \[\]$/

interface Compared { readonly name: string, readonly request: RecordedRequest, readonly daemon: Daemon['kind'], readonly differences: readonly string[] }

/** The requests of a group of recordings, one after another on sides that begin as the group says. */
export async function * runGroup (cases: readonly { readonly name: string, readonly request: RecordedRequest }[], daemon: DaemonOptions): AsyncGenerator<Compared, void, undefined> {
  await using sides = await startSides(daemon)
  let before: readonly string[] = []
  for (const { name, request } of cases) {
    const { differences } = await compareOnce(request, sides.bare, sides.proxied)
    // What an earlier request left different is not told again, nor what Kubo leaves behind of an upload.
    yield { name, request, daemon: sides.kind, differences: differences.filter(text => !before.includes(text) && !leftBehind.test(text)) }
    before = differences
  }
}
