/**
 * The same three peers, agreeing by Raft among themselves and by an etcd of three members, in one run on one disk, in alternating rounds: only the ratio of neighbours means something.
 *
 *     npm run bench -- consensus [--rounds 3] [--seconds 5] [--clients 1,32]
 *
 * A client pins a CID that carries its own content, so that no daemon has anything to fetch, and waits until it is agreed on. etcd 3.4 comes from Debian's `etcd-server`; ETCD_BIN may name another.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startCluster } from '../ipfs-compat-tests/harness/cluster.ts'
import type { TestCluster } from '../ipfs-compat-tests/harness/cluster.ts'
import { startEtcd, withoutEtcd } from '../ipfs-compat-tests/harness/etcd.ts'
import { inlineCidOf } from '../ipfs-compat-tests/harness/pins.ts'
import { say } from './output.ts'
import { closedLoop } from './raft/load.ts'
import type { Measured } from './raft/load.ts'
import { median } from './report.ts'

const warmUpMs = 1_000

export async function bench (args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '5' }, clients: { type: 'string', default: '1,32' } } })
  if (withoutEtcd !== false) return say(`${withoutEtcd}\n`)
  const settings = { IPFS_CLUSTER_LOG_LEVEL: 'error' }
  await using etcd = await startEtcd({ size: 3 })
  await using raft = await startCluster(3, { settings })
  await using overEtcd = await startCluster(3, { settings: { ...settings, CLUSTER_ETCD_ENDPOINTS: etcd.endpoints.join(',') } })
  const sides = [{ name: 'Raft', cluster: raft }, { name: 'etcd', cluster: overEtcd }] as const
  say(`three peers by Raft, three by an etcd of three members; ${cpus().length} cores\n`)

  const rows: Record<string, string>[] = []
  for (const clients of values.clients.split(',').map(Number)) {
    const results = sides.map((): Measured[] => [])
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) results[at]!.push(await measured(sides[at]!.cluster, `${clients} ${round}`, clients, Number(values.seconds) * 1_000))
    }
    for (const [at, { name }] of sides.entries()) rows.push(rowOf(name, clients, results[at]!))
  }
  console.table(rows)
}

async function measured (cluster: TestCluster, seed: string, clients: number, measureMs: number): Promise<Measured> {
  const { rest } = cluster.peers[0]!
  let next = 0
  return await closedLoop(async () => {
    const answer = await fetch(`${rest}/pins/${inlineCidOf(`${seed} ${next++}`).toString()}`, { method: 'POST' })
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`status ${answer.status}`)
  }, { clients, warmUpMs, measureMs })
}

function rowOf (engine: string, clients: number, rounds: readonly Measured[]): Record<string, string> {
  const of = (figure: (measured: Measured) => number, digits: number): string => median(rounds.map(figure)).toFixed(digits)
  return { engine, clients: String(clients), 'pins/s': of(({ perSecond }) => perSecond, 0), 'p50 ms': of(({ p50Ms }) => p50Ms, 1), 'p99 ms': of(({ p99Ms }) => p99Ms, 1), errors: String(rounds.reduce((sum, { errors }) => sum + errors, 0)) }
}
