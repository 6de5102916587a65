/** Breaks a group of processes in every way a machine room offers, while clients work, and then asks whether anybody noticed. */
import { createPrng } from '../core/prng.ts'
import { ProcessGroup, within } from './group.ts'
import { checkLinearizability } from './linearizability.ts'
import type { HistoryEntry } from './linearizability.ts'
import { encodeWrite } from './register-machine.ts'
import { startWorkload } from './workload.ts'

export interface ChaosReport {
  readonly operations: number
  readonly unanswered: number
  readonly faults: Readonly<Record<string, number>>
  readonly linearizable: boolean
  readonly undecided: readonly string[]
  readonly violations: ReadonlyArray<{ readonly key: string, readonly entries: readonly HistoryEntry[] }>
  readonly digest: string
  readonly applied: number
  readonly unexpectedEnds: readonly string[]
}

const peerArgs = ['--tick-ms', '15', '--election-ticks', '10', '--snapshot-entries', '300', '--trailing-entries', '50']

/** A machine with much else to do gets more time, up to a bound, until the clients have been answered so often: otherwise nothing was tried. */
const operationsMin = 150
const longerAtMost = 20

type Fault = 'kill' | 'kill-leader' | 'kill-all' | 'pause' | 'isolate' | 'one-way' | 'transfer' | 'replace' | 'add-remove'

export async function runChaos ({ folder, nodes, seconds, seed, clients = 8, program, say = () => {} }: {
  readonly folder: string
  readonly nodes: number
  readonly seconds: number
  readonly seed: number
  readonly clients?: number
  /** What each peer runs, if not the engine over plain TCP. */
  readonly program?: string | undefined
  readonly say?: (line: string) => void
}): Promise<ChaosReport> {
  const random = createPrng(seed)
  await using group = await ProcessGroup.of(folder, nodes, peerArgs, program)
  const workload = startWorkload({ addresses: () => group.running.map(({ client }) => client), clients, keys: 6, seed })
  const faults: Record<string, number> = {}
  const chaos = new Chaos(group, n => random.below(n), nodes + 1)

  const begun = performance.now()
  const deadline = begun + seconds * 1_000
  while (performance.now() < deadline || (workload.history.length < operationsMin && performance.now() < begun + longerAtMost * seconds * 1_000)) {
    const fault = chaos.choose()
    faults[fault] = (faults[fault] ?? 0) + 1
    say(`${Math.round(deadline - performance.now())} ms left, ${workload.history.length} operations: ${fault}`)
    await chaos.cause(fault)
    await pass(100 + random.below(400))
  }

  await chaos.repairAll()
  await pass(500)
  await workload.stop()
  const { digest, applied } = await group.agreed()
  const verdict = checkLinearizability(workload.history)
  return {
    operations: workload.history.length,
    unanswered: workload.history.filter(({ answer }) => answer === undefined).length,
    faults, digest, applied, ...verdict, unexpectedEnds: group.unexpectedEnds
  }
}

class Chaos {
  readonly #group: ProcessGroup
  readonly #below: (n: number) => number
  #nextId: number

  constructor (group: ProcessGroup, below: (n: number) => number, nextId: number) {
    this.#group = group
    this.#below = below
    this.#nextId = nextId
  }

  choose (): Fault {
    const weighted: readonly Fault[] = ['kill', 'kill', 'kill-leader', 'kill-leader', 'kill-all', 'pause', 'pause', 'isolate', 'isolate', 'one-way', 'transfer', 'replace', 'add-remove']
    return weighted[this.#below(weighted.length)]!
  }

  async cause (fault: Fault): Promise<void> {
    const group = this.#group
    const ids = [...group.peers.keys()]
    const victim = ids[this.#below(ids.length)]!
    const leader = (await group.statuses()).find(({ role }) => role === 'leader')?.nodeId ?? victim
    switch (fault) {
      case 'kill': await this.#killFor([victim]); return
      case 'kill-leader': await this.#killFor([leader]); return
      case 'kill-all': await this.#killFor(ids); return
      case 'pause':
        group.pause(this.#below(2) === 0 ? leader : victim)
        await pass(200 + this.#below(1_500))
        for (const id of ids) if (group.peer(id).paused) group.resume(id)
        return
      case 'isolate': await this.#cutFor(leader, ids, ids); return
      case 'one-way': await (this.#below(2) === 0 ? this.#cutFor(leader, ids, []) : this.#cutFor(leader, [], ids)); return
      case 'transfer': await group.peer(leader).control.order({ do: 'transfer' }).catch(() => {}); return
      case 'replace': await this.#replace(victim); return
      case 'add-remove': await this.#addAndRemove(victim)
    }
  }

  async repairAll (): Promise<void> {
    for (const { id, process, paused } of this.#group.peers.values()) {
      if (paused) this.#group.resume(id)
      if (process === undefined) await this.#group.start(id)
      await this.#group.peer(id).control.order({ do: 'cut', to: [], from: [] })
    }
  }

  async #killFor (ids: readonly number[]): Promise<void> {
    await Promise.all(ids.map(async id => { await this.#group.kill(id) }))
    await pass(this.#below(800))
    await Promise.all(ids.map(async id => { await this.#group.start(id) }))
  }

  async #cutFor (id: number, to: readonly number[], from: readonly number[]): Promise<void> {
    const { control } = this.#group.peer(id)
    await control.order({ do: 'cut', to, from }).catch(() => {})
    await pass(300 + this.#below(1_200))
    await control.order({ do: 'cut', to: [], from: [] }).catch(() => {})
  }

  /** A peer whose machine is gone for good: another takes its place, in one joint change. */
  async #replace (victim: number): Promise<void> {
    const id = this.#nextId++
    await this.#group.create(id)
    await this.#group.start(id)
    const member = await this.#group.member(id)
    await this.#group.onLeader(async leader => {
      const { membership: { voters } } = await leader.control.order({ do: 'status' })
      if (voters.includes(id) && !voters.includes(victim)) return // an attempt whose answer was lost
      await leader.control.order({ do: 'replace', id: victim, member })
    })
    await this.#forget(victim)
  }

  async #addAndRemove (victim: number): Promise<void> {
    const id = this.#nextId++
    await this.#group.create(id)
    await this.#group.start(id)
    await this.#group.takeIn(id)
    await this.#group.onLeader(async leader => {
      const { membership: { voters } } = await leader.control.order({ do: 'status' })
      if (voters.includes(victim)) await leader.control.order({ do: 'remove', id: victim })
    })
    await this.#forget(victim)
  }

  async #forget (id: number): Promise<void> {
    await this.#group.kill(id)
    this.#group.peer(id).control[Symbol.dispose]()
    this.#group.peers.delete(id)
  }
}

/**
 * Kills all processes at once in the middle of a burst of writes, starts them again, and counts: each acknowledged addition
 * must be there, and none may be there that was not asked for.
 */
export async function runBurst ({ folder, nodes, times, seed, program, say = () => {} }: {
  readonly folder: string, readonly nodes: number, readonly times: number, readonly seed: number
  readonly program?: string | undefined, readonly say?: (line: string) => void
}): Promise<{ readonly rounds: number, readonly acknowledged: number, readonly lost: readonly string[] }> {
  const random = createPrng(seed)
  await using group = await ProcessGroup.of(folder, nodes, peerArgs, program)
  const lost: string[] = []
  let acknowledged = 0

  for (let round = 1; round <= times; round++) {
    const ids = [...group.peers.keys()]
    const counts = Array.from({ length: 48 }, () => ({ asked: 0, acknowledged: 0 }))
    let burning = true
    const answered = Promise.withResolvers<void>()
    const writers = counts.map(async (count, i) => {
      const { control } = group.peer(ids[i % ids.length]!)
      while (burning) {
        count.asked++
        try {
          const answer = await control.ask({ kind: 'write', id: undefined, data: encodeWrite(`${round}-${i}`, { kind: 'add', value: 1 }) })
          if (answer.kind !== 'value') continue
          count.acknowledged++
          answered.resolve()
        } catch { return }
      }
    })
    await within(60_000, answered.promise)
    await pass(random.below(600))
    await Promise.all(ids.map(async id => { await group.kill(id) }))
    burning = false
    await Promise.all(writers)
    await Promise.all(ids.map(async id => { await group.start(id) }))

    await group.agreed()
    for (const [i, { asked, acknowledged: promised }] of counts.entries()) {
      const found = await readOf(group, `${round}-${i}`)
      acknowledged += promised
      if (found < promised || found > asked) lost.push(`round ${round}, key ${i}: ${promised} acknowledged of ${asked}, found ${found}`)
    }
    say(`round ${round}: ${counts.reduce((sum, count) => sum + count.acknowledged, 0)} acknowledged before the kill, ${lost.length} keys wrong so far`)
  }
  return { rounds: times, acknowledged, lost }
}

/** Asks again while nobody leads for long enough to answer. */
async function readOf (group: ProcessGroup, key: string): Promise<number> {
  let found = -1
  await group.onLeader(async ({ control }) => {
    const answer = await control.ask({ kind: 'read', key })
    if (answer.kind !== 'value') throw new Error('no answer')
    found = answer.value
  })
  return found
}

/** Real processes live in real time. */
async function pass (ms: number): Promise<void> { await new Promise(resolve => { setTimeout(resolve, ms) }) }
