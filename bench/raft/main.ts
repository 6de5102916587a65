/**
 * The engine beside etcd, in one run on one disk, in alternating rounds: only the ratio of neighbours means something.
 *
 *     node bench/raft/main.ts [--rounds 3] [--seconds 10] [--clients 1,64,256] [--etcd PROGRAM] [--folder DIR] [--failovers 20]
 *
 * etcd 3.4 comes from Debian's `etcd-server` (`apt-get download etcd-server && dpkg -x etcd-server*.deb DIR` starts nothing).
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findEtcd, startEtcd } from './etcd.ts'
import { closedLoop, median } from './load.ts'
import type { Measured, Target } from './load.ts'
import { measureFailover, startOurs } from './ours.ts'

const { values } = parseArgs({
  args: process.argv.slice(2).filter(arg => arg !== 'raft'),
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,64,256' },
    failovers: { type: 'string', default: '20' },
    etcd: { type: 'string' },
    folder: { type: 'string' }
  }
})
const loads = values.clients.split(',').map(Number)
const [warmUpMs, measureMs] = [Number(values['warm-up']) * 1_000, Number(values.seconds) * 1_000]
const folder = await mkdtemp(join(values.folder ?? tmpdir(), 'raft-bench-'))
const etcd = findEtcd(values.etcd)
if (etcd === undefined) console.log('etcd is not installed: our numbers stand alone, and say little by themselves\n')

interface Round { readonly writes: readonly Measured[], readonly reads: Measured }

async function measure (target: Target): Promise<Round> {
  const writes: Measured[] = []
  for (const clients of loads) writes.push(await closedLoop(target.write, { clients, warmUpMs, measureMs }))
  return { writes, reads: await closedLoop(target.read, { clients: 64, warmUpMs: warmUpMs / 2, measureMs: measureMs / 2 }) }
}

const theirs: Round[] = []
const ours: Round[] = []
const batches: number[] = []
const loopP99: number[] = []
const syncBefore = syncMs()
for (let round = 0; round < Number(values.rounds); round++) {
  if (etcd !== undefined) {
    await using cluster = await startEtcd(etcd, `${folder}/etcd-${round}`)
    theirs.push(await measure(cluster))
  }
  await using cluster = await startOurs(`${folder}/ours-${round}`)
  ours.push(await measure(cluster))
  await cluster.loopDelay()
  await closedLoop(cluster.write, { clients: 64, warmUpMs: 0, measureMs: measureMs / 2 })
  loopP99.push((await cluster.loopDelay()).p99)
  const batch = await closedLoop(async () => { await cluster.writeMany(256) }, { clients: 1, warmUpMs: 1_000, measureMs: measureMs / 2 })
  batches.push(batch.perSecond * 256)
  console.log(`round ${round + 1} of ${values.rounds} done`)
}
const syncAfter = syncMs()
const failover = await measureFailover(`${folder}/failover`, Number(values.failovers))

report()
await rm(folder, { recursive: true, force: true })

function report (): void {
  const rows = loads.map((clients, i) => row(`${clients} clients, writes`, theirs.map(({ writes }) => writes[i]!), ours.map(({ writes }) => writes[i]!)))
  console.table([...rows, row('64 clients, linearizable reads', theirs.map(({ reads }) => reads), ours.map(({ reads }) => reads))])
  for (const [i, clients] of loads.entries()) {
    const goal = { 1: ['p50 at most 1.3 × etcd', 1.3], 64: ['throughput at least 1 × etcd', 1], 256: ['throughput at least 1.5 × etcd', 1.5] }[clients] as [string, number] | undefined
    if (goal === undefined || theirs.length === 0) continue
    const pairs = ours.map(({ writes }, round) => clients === 1
      ? writes[i]!.p50Ms / theirs[round]!.writes[i]!.p50Ms
      : writes[i]!.perSecond / theirs[round]!.writes[i]!.perSecond)
    const reached = clients === 1 ? median(pairs) <= goal[1] : median(pairs) >= goal[1]
    console.log(`${clients} clients: ${goal[0]}: ${median(pairs).toFixed(2)} (${Math.min(...pairs).toFixed(2)} to ${Math.max(...pairs).toFixed(2)}) ${verdict(reached)}`)
  }
  console.log(`batch API, one client, 256 commands a call: ${Math.round(median(batches))} commands/s, at least 20000 ${verdict(median(batches) >= 20_000)}`)
  console.log(`failover after kill -9 of the leader, in election timeouts: p50 ${failover.p50.toFixed(2)}, p99 ${failover.p99.toFixed(2)}, p50 at most 2 ${verdict(failover.p50 <= 2)}`)
  console.log(`event loop of the leader with 64 clients, p99 delay: ${median(loopP99).toFixed(1)} ms, at most 20 ${verdict(median(loopP99) <= 20)}`)
  console.log(`fdatasync p50 before ${syncBefore.toFixed(2)} ms, after ${syncAfter.toFixed(2)} ms`)
  const spread = theirs.length === 0 ? 1 : Math.max(...loads.map((_, i) => Math.max(...theirs.map(({ writes }) => writes[i]!.perSecond)) / Math.min(...theirs.map(({ writes }) => writes[i]!.perSecond))))
  if (spread > 2 || Math.max(syncBefore, syncAfter) / Math.min(syncBefore, syncAfter) > 1.5) {
    console.log(`the machine was not steady (etcd's own rounds differ by ${spread.toFixed(1)} ×): run it again when it is quieter`)
  }
}

function verdict (reached: boolean): string { return reached ? '— reached' : '— NOT reached' }

function row (load: string, etcdRounds: readonly Measured[], ourRounds: readonly Measured[]): Record<string, string> {
  const of = (rounds: readonly Measured[], pick: (m: Measured) => number): string => rounds.length === 0 ? '' : median(rounds.map(pick)).toFixed(pick(rounds[0]!) >= 100 ? 0 : 2)
  const ratio = etcdRounds.length === 0 ? '' : median(ourRounds.map((m, i) => m.perSecond / etcdRounds[i]!.perSecond)).toFixed(2)
  return {
    load,
    'etcd /s': of(etcdRounds, m => m.perSecond),
    'etcd p50': of(etcdRounds, m => m.p50Ms),
    'etcd p99': of(etcdRounds, m => m.p99Ms),
    'ours /s': of(ourRounds, m => m.perSecond),
    'ours p50': of(ourRounds, m => m.p50Ms),
    'ours p99': of(ourRounds, m => m.p99Ms),
    ratio,
    errors: String([...etcdRounds, ...ourRounds].reduce((sum, m) => sum + m.errors, 0))
  }
}

/** What one sync of 4 KiB costs here and now. */
function syncMs (): number {
  const fd = openSync(join(folder, 'sync-probe'), 'w')
  const block = Buffer.alloc(4_096, 1)
  const taken: number[] = []
  for (let i = 0; i < 200; i++) {
    const begun = performance.now()
    writeSync(fd, block)
    fdatasyncSync(fd)
    taken.push(performance.now() - begun)
  }
  closeSync(fd)
  return median(taken)
}
