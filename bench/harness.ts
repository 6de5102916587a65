/** A daemon, bare, and a peer in front of it in a process of its own: what the measurements compare. */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startCluster } from '../ipfs-compat-tests/harness/cluster.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import type { Daemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { daemonSettings, startPeerProcess } from '../ipfs-compat-tests/harness/process.ts'
import type { RpcTarget } from '../ipfs-compat-tests/harness/rpc.ts'
import { say, tell } from './output.ts'
import type { Measured, Round } from './report.ts'

export interface Side {
  readonly name: 'bare' | 'peer'
  readonly host: string
  readonly port: number
  /** The daemons behind it that pin, where they are several and can be asked. */
  readonly daemons?: readonly RpcTarget[]
}

export interface Pair extends AsyncDisposable {
  /** What is compared. */
  readonly sides: string
  readonly bare: Side
  readonly peer: Side
  /** They run already, or several peers are compared with one daemon: the goals are none of theirs. */
  readonly isWithoutGoals?: true
}

export interface Sides extends Pair {
  /** Of the peer's process. */
  readonly pid: number
  readonly daemonKind: 'kubo' | 'embedded'
}

/**
 * `--against URL --peer URL` name two that run already, by where their `/api/v0` is: the proxy of another cluster, and that of ours. `--peers N` starts a cluster of so many, each
 * with a daemon, and compares the first one's proxy with one more daemon that is bare. Without either a daemon and a peer in front of it are started.
 *
 * @throws TypeError for other arguments
 */
export async function pairOf (args: readonly string[]): Promise<Pair> {
  const { against, peer, peers = '1' } = parseArgs({ args: [...args], options: { against: { type: 'string' }, peer: { type: 'string' }, peers: { type: 'string' } } }).values
  if (!/^[1-9]$/.test(peers)) throw new TypeError(`--peers is from 1 to 9, not ${peers}`)
  if (against === undefined && peer === undefined) return peers === '1' ? await startSides() : await startClusterPair(Number(peers))
  if (against === undefined || peer === undefined) throw new TypeError('--against and --peer go together')
  return { sides: told(`bare: ${against}, peer: ${peer}`), bare: sideAt('bare', against), peer: sideAt('peer', peer), isWithoutGoals: true, async [Symbol.asyncDispose] () {} }
}

function sideAt (name: Side['name'], url: string): Side {
  const { hostname, port } = new URL(url)
  return { name, host: hostname, port: Number(port === '' ? 80 : port) }
}

async function startClusterPair (count: number): Promise<Pair> {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(await startDaemon())
  const { peers } = undo.use(await startCluster(count, { settings: { IPFS_CLUSTER_LOG_LEVEL: 'error' } }))
  const running = undo.move()
  return {
    sides: told(`${nameOf(daemon)} bare, and ${count} peers with ${count} more of them`),
    bare: { name: 'bare', host: daemon.host, port: daemon.port },
    peer: { name: 'peer', ...peers[0]!.proxy, daemons: peers.map(peer => peer.daemon) },
    isWithoutGoals: true,
    [Symbol.asyncDispose]: () => running.disposeAsync()
  }
}

/** Says what runs, and on what. */
export function told (sides: string): string {
  say(`${sides}; ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}\n`)
  return sides
}

const nameOf = ({ kind, values }: Daemon): string => kind === 'kubo' ? `Kubo ${values.VERSION}` : 'the embedded daemon'

export async function startSides (): Promise<Sides> {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(await startDaemon())
  const folder = undo.adopt(await mkdtemp(join(tmpdir(), 'ipfs-quorum-bench-')), path => rm(path, { recursive: true, force: true }))
  const peer = undo.adopt(await startPeerProcess(folder, { ...daemonSettings(daemon), IPFS_CLUSTER_LOG_LEVEL: 'error' }), async peer => { await peer.stop() })
  const running = undo.move()
  return {
    sides: told(`${nameOf(daemon)} bare, and the same through a peer`),
    bare: { name: 'bare', host: daemon.host, port: daemon.port },
    peer: { name: 'peer', host: '127.0.0.1', port: Number(new URL(peer.proxy).port) },
    pid: peer.child.pid!,
    daemonKind: daemon.kind,
    [Symbol.asyncDispose]: () => running.disposeAsync()
  }
}

export interface Comparison {
  readonly title: string
  /** How often each side has its turn. */
  readonly rounds: number
  readonly measured: Readonly<Record<string, Measured>>
  readonly round: (side: Side, number: number) => Promise<Round>
}

/** Before that what runs is still being compiled, and up to a third slower. */
const warmUps = 2

/** Some turns of each to warm up, then turns in alternating order, so that a slow minute of the machine hits both. Prints the table. */
export async function compare ({ sides, bare, peer, isWithoutGoals }: Pick<Pair, 'sides' | 'bare' | 'peer' | 'isWithoutGoals'>, { title, rounds, measured, round }: Comparison): Promise<void> {
  const results = { bare: [] as Round[], peer: [] as Round[] }
  for (let number = -warmUps; number < 0; number++) for (const side of [bare, peer]) await round(side, number)
  for (let number = 0; number < rounds; number++) {
    for (const side of number % 2 === 0 ? [bare, peer] : [peer, bare]) results[side.name].push(await round(side, number))
  }
  const shown = isWithoutGoals ? Object.fromEntries(Object.entries(measured).map(([name, { unit }]) => [name, { unit }])) : measured
  await tell({ sides, title, bare: results.bare, peer: results.peer, measured: shown })
}

/** Seconds that `work` took. */
export async function secondsOf (work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return (performance.now() - startMs) / 1_000
}
