import { median } from '../report.ts'
import type { Measured } from './load.ts'

export interface Round { readonly writes: readonly Measured[], readonly reads: Measured }

export interface Results {
  readonly loads: readonly number[]
  /** Empty when etcd is not there. */
  readonly theirs: readonly Round[]
  readonly ours: readonly Round[]
  readonly batches: readonly number[]
  readonly loopP99: readonly number[]
  readonly failover: { readonly p50: number, readonly p99: number }
  readonly syncBefore: number
  readonly syncAfter: number
}

/** What is to be reached beside etcd, by number of clients. */
const goals: ReadonlyMap<number, { readonly of: 'p50' | 'throughput', readonly ratio: number }> = new Map([
  [1, { of: 'p50', ratio: 1.3 }], [64, { of: 'throughput', ratio: 1 }], [256, { of: 'throughput', ratio: 1.5 }]
])

export function printReport (results: Results): void {
  const { loads, theirs, ours, batches, loopP99, failover } = results
  const rows = loads.map((clients, i) => row(`${clients} clients, writes`, theirs.map(({ writes }) => writes[i]!), ours.map(({ writes }) => writes[i]!)))
  console.table([...rows, row('64 clients, linearizable reads', theirs.map(({ reads }) => reads), ours.map(({ reads }) => reads))])
  if (theirs.length === 0) console.log('etcd is not installed: our numbers stand alone, and say little by themselves')
  else for (const [i, clients] of loads.entries()) printGoal(clients, ours.map(({ writes }) => writes[i]!), theirs.map(({ writes }) => writes[i]!))
  console.log(`batch API, one client, 256 commands a call: ${Math.round(median(batches))} commands/s, at least 20000 ${verdict(median(batches) >= 20_000)}`)
  console.log(`failover after kill -9 of the leader, in election timeouts: p50 ${failover.p50.toFixed(2)}, p99 ${failover.p99.toFixed(2)}, p50 at most 2 ${verdict(failover.p50 <= 2)}`)
  console.log(`event loop of the leader with 64 clients, p99 delay: ${median(loopP99).toFixed(1)} ms, at most 20 ${verdict(median(loopP99) <= 20)}`)
  printSteadiness(results)
}

function printGoal (clients: number, ours: readonly Measured[], theirs: readonly Measured[]): void {
  const goal = goals.get(clients)
  if (goal === undefined) return
  if ([...ours, ...theirs].some(({ perSecond }) => perSecond === 0)) {
    console.log(`${clients} clients: undecided, in one of the rounds nobody was answered`)
    return
  }
  const ratios = ours.map((m, round) => goal.of === 'p50' ? m.p50Ms / theirs[round]!.p50Ms : m.perSecond / theirs[round]!.perSecond)
  const reached = goal.of === 'p50' ? median(ratios) <= goal.ratio : median(ratios) >= goal.ratio
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
  console.log(`${clients} clients: ${goal.of} at ${goal.of === 'p50' ? 'most' : 'least'} ${goal.ratio} × etcd: ${median(ratios).toFixed(2)} (${range}) ${verdict(reached)}`)
}

/** A run on a machine that does other things proves nothing. */
function printSteadiness ({ loads, theirs, syncBefore, syncAfter }: Results): void {
  console.log(`fdatasync p50 before ${syncBefore.toFixed(2)} ms, after ${syncAfter.toFixed(2)} ms`)
  const spread = Math.max(1, ...loads.map((_, i) => {
    const rates = theirs.map(({ writes }) => writes[i]!.perSecond)
    return rates.length === 0 ? 1 : Math.max(...rates) / Math.min(...rates)
  }))
  if (!(spread <= 2) || Math.max(syncBefore, syncAfter) / Math.min(syncBefore, syncAfter) > 1.5) {
    console.log(`the machine was not steady (etcd's own rounds differ by ${spread.toFixed(1)} ×): run it again when it is quieter`)
  }
}

function verdict (reached: boolean): string { return reached ? '— reached' : '— NOT reached' }

function row (load: string, etcdRounds: readonly Measured[], ourRounds: readonly Measured[]): Record<string, string> {
  const of = (rounds: readonly Measured[], pick: (m: Measured) => number): string => {
    const value = median(rounds.map(pick))
    return rounds.length === 0 ? '' : value.toFixed(value >= 100 ? 0 : 2)
  }
  return {
    load,
    'etcd /s': of(etcdRounds, m => m.perSecond),
    'etcd p50': of(etcdRounds, m => m.p50Ms),
    'etcd p99': of(etcdRounds, m => m.p99Ms),
    'ours /s': of(ourRounds, m => m.perSecond),
    'ours p50': of(ourRounds, m => m.p50Ms),
    'ours p99': of(ourRounds, m => m.p99Ms),
    ratio: etcdRounds.length === 0 ? '' : median(ourRounds.map((m, i) => m.perSecond / etcdRounds[i]!.perSecond)).toFixed(2),
    errors: String([...etcdRounds, ...ourRounds].reduce((sum, m) => sum + m.errors, 0))
  }
}
