/**
 * The engine beside etcd, in one run on one disk, in alternating rounds: only the ratio of neighbours means something.
 *
 *     npm run bench -- raft [--rounds 3] [--seconds 10] [--clients 1,64,256] [--etcd PROGRAM] [--folder DIR] [--failovers 20]
 *     npm run bench -- raft --voters 1      a peer that is alone, beside its pinset without a log
 *
 * etcd 3.4 comes from Debian's `etcd-server` (`apt-get download etcd-server && dpkg -x etcd-server*.deb DIR` starts nothing).
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median } from '../report.ts'
import { findEtcd, startEtcd } from './etcd.ts'
import { closedLoop } from './load.ts'
import type { Measured, Target } from './load.ts'
import { measureFailover, startOurs } from './ours.ts'
import { printReport } from './report.ts'
import type { Results, Round } from './report.ts'
import { benchSingleVoter } from './single-voter.ts'

interface Settings { readonly rounds: number, readonly loads: readonly number[], readonly warmUpMs: number, readonly measureMs: number, readonly failovers: number }

export async function bench (args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
      'warm-up': { type: 'string', default: '3' },
      clients: { type: 'string', default: '1,64,256' },
      failovers: { type: 'string', default: '20' },
      voters: { type: 'string', default: '3' },
      etcd: { type: 'string' },
      folder: { type: 'string' }
    }
  })
  if (values.voters !== '1' && values.voters !== '3') throw new Error(`--voters: 1 or 3, not ${JSON.stringify(values.voters)}`)
  const folder = await mkdtemp(join(values.folder ?? tmpdir(), 'raft-bench-'))
  const settings = {
    rounds: Number(values.rounds), loads: values.clients.split(',').map(Number), failovers: Number(values.failovers),
    warmUpMs: Number(values['warm-up']) * 1_000, measureMs: Number(values.seconds) * 1_000
  }
  try {
    if (values.voters === '1') await benchSingleVoter({ ...settings, folder })
    else printReport(await run(findEtcd(values.etcd), folder, settings))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function run (etcd: string | undefined, folder: string, settings: Settings): Promise<Results> {
  const { rounds, loads, measureMs } = settings
  const theirs: Round[] = []
  const ours: Round[] = []
  const batches: number[] = []
  const loopP99: number[] = []
  const syncBefore = syncMs(folder)
  for (let round = 0; round < rounds; round++) {
    if (etcd !== undefined) {
      await using cluster = await startEtcd(etcd, `${folder}/etcd-${round}`)
      theirs.push(await measure(cluster, settings))
    }
    await using cluster = await startOurs(`${folder}/ours-${round}`)
    ours.push(await measure(cluster, settings))
    await cluster.loopDelay()
    await closedLoop(cluster.write, { clients: 64, warmUpMs: 0, measureMs: measureMs / 2 })
    loopP99.push((await cluster.loopDelay()).p99)
    const batch = await closedLoop(async () => { await cluster.writeMany(256) }, { clients: 1, warmUpMs: 1_000, measureMs: measureMs / 2 })
    batches.push(batch.perSecond * 256)
    console.log(`round ${round + 1} of ${rounds} done`)
  }
  return {
    loads, theirs, ours, batches, loopP99, syncBefore, syncAfter: syncMs(folder), failover: await measureFailover(`${folder}/failover`, settings.failovers)
  }
}

async function measure (target: Target, { loads, warmUpMs, measureMs }: Settings): Promise<Round> {
  const writes: Measured[] = []
  for (const clients of loads) writes.push(await closedLoop(target.write, { clients, warmUpMs, measureMs }))
  return { writes, reads: await closedLoop(target.read, { clients: 64, warmUpMs: warmUpMs / 2, measureMs: measureMs / 2 }) }
}

/** What one sync of 4 KiB costs here and now. */
function syncMs (folder: string): number {
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

if (import.meta.main) await bench(process.argv.slice(2))
