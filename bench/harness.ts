/** A daemon, bare, and a peer in front of it in a process of its own: what the measurements compare. */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startCluster, targetOf } from '../ipfs-compat-tests/harness/cluster.ts'
import type { PeerSettings, TestCluster } from '../ipfs-compat-tests/harness/cluster.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import type { Daemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { daemonSettings, startPeerProcess } from '../ipfs-compat-tests/harness/process.ts'
import type { RpcTarget } from '../ipfs-compat-tests/harness/rpc.ts'
import type { Growth } from './history.ts'
import { say, tell } from './output.ts'
import type { Goals, Measured, Round, Rounds, SideName } from './report.ts'

/** Who is asked, by Kubo's API. */
export interface Side extends RpcTarget {
  readonly name: SideName
  /** The daemons behind it that pin, where they are several and can be asked. */
  readonly daemons?: readonly RpcTarget[]
  /** Of a cluster. */
  readonly rest?: RpcTarget
}

/** What is compared. */
export interface Contest {
  readonly sides: string
  readonly among: readonly Side[]
}

export interface RunningContest extends Contest, AsyncDisposable {
  /** Of ours; none where it runs already. */
  readonly peerCount: number | undefined
  /** Asked for in place of the usual number. */
  readonly rounds?: number
}

export interface OnePeer extends RunningContest {
  readonly bare: Side
  readonly peer: Side
  /** Of the peer's process. */
  readonly pid: number
}

export interface SideArguments {
  readonly peers: number | undefined
  readonly rounds: number | undefined
  /** Another cluster. */
  readonly against: Side | undefined
  /** Ours, where it runs already. */
  readonly peer: Side | undefined
}

/**
 * What measurements that compare take on the command line. Another cluster is told by the URLs of its proxy, and for some measurements of its REST API and its daemons.
 *
 * @throws TypeError for what is none of that
 */
export function sideArguments (args: readonly string[]): SideArguments {
  const text = { type: 'string' } as const
  const { peers, rounds, against, peer, ...more } = parseArgs({ args: [...args], options: { peers: text, rounds: text, against: text, peer: text, 'against-rest': text, 'against-daemons': text } }).values
  if (against === undefined && Object.keys(more).length > 0) throw new TypeError(`--${Object.keys(more)[0]} goes with --against`)
  const [rest, daemons] = [more['against-rest'], more['against-daemons']]
  return {
    peers: countOf('peers', 9, peers),
    rounds: countOf('rounds', 99, rounds),
    peer: peer === undefined ? undefined : sideOf('peer', targetOf(peer)),
    against: against === undefined ? undefined : {
      ...sideOf('against', targetOf(against)), ...rest !== undefined && { rest: targetOf(rest) }, ...daemons !== undefined && { daemons: daemons.split(',').map(targetOf) }
    }
  }
}

function countOf (name: string, max: number, written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  const count = Number(written)
  if (!Number.isSafeInteger(count) || count < 1 || count > max) throw new TypeError(`--${name} is from 1 to ${max}, not ${written}`)
  return count
}

/**
 * A daemon, and a peer in front of it; with `--peers N` a cluster of so many, each with a daemon, of which the first is asked, and one more daemon that is bare.
 * `--against URL` brings in another cluster's proxy, and `--peer URL` one of ours that runs already: then none is started.
 *
 * @throws TypeError for other arguments
 */
export async function contestOf (args: readonly string[]): Promise<RunningContest> {
  const { against, peer, peers = 1, rounds } = sideArguments(args)
  const others = against === undefined ? [] : [against]
  const asked = rounds === undefined ? {} : { rounds }
  if (peer !== undefined) {
    if (against === undefined) throw new TypeError('--peer goes with --against')
    return { sides: told(`another cluster at ${addressOf(against)}, and as peer ${addressOf(peer)}`), among: [...others, peer], peerCount: undefined, ...asked, async [Symbol.asyncDispose] () {} }
  }
  const started = peers === 1 ? await startSides() : await severalOf(peers)
  return { ...started, ...asked, among: [...started.among, ...others] }
}

const addressOf = ({ host, port }: Side): string => `${host}:${port}`

async function severalOf (count: number): Promise<RunningContest> {
  const { bare, cluster: { peers }, sides, ...running } = await startBareAndCluster(count)
  return { sides, among: [sideOf('bare', bare), { name: 'peer', ...peers[0]!.proxy, daemons: peers.map(peer => peer.daemon) }], peerCount: count, ...running }
}

export interface BareAndCluster extends AsyncDisposable { readonly sides: string, readonly bare: Daemon, readonly cluster: TestCluster }

/** So many peers with a daemon each, and one more daemon that is bare. */
export async function startBareAndCluster (count: number, settings: PeerSettings = {}): Promise<BareAndCluster> {
  await using undo = new AsyncDisposableStack()
  const bare = undo.use(await startDaemon())
  const cluster = undo.use(await startCluster(count, { settings: { IPFS_CLUSTER_LOG_LEVEL: 'error', ...settings } }))
  const running = undo.move()
  return { sides: told(`${nameOf(bare)} bare, and ${count} ${count === 1 ? 'peer' : 'peers'} with ${count} more of them`), bare, cluster, [Symbol.asyncDispose]: async () => { await running.disposeAsync() } }
}

export const sideOf = (name: SideName, { host, port }: RpcTarget): Side => ({ name, host, port })

/** Says what runs, and on what. */
export function told (sides: string): string {
  say(`${sides}; ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}\n`)
  return sides
}

const nameOf = ({ kind, values }: Daemon): string => kind === 'kubo' ? `Kubo ${values.VERSION}` : 'the embedded daemon'

export async function startSides (): Promise<OnePeer> {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(await startDaemon())
  const folder = undo.adopt(await mkdtemp(join(tmpdir(), 'ipfs-quorum-bench-')), path => rm(path, { recursive: true, force: true }))
  const running = undo.adopt(await startPeerProcess(folder, { ...daemonSettings(daemon), IPFS_CLUSTER_LOG_LEVEL: 'error' }), async peer => { await peer.stop() })
  const bare = sideOf('bare', daemon)
  const peer = sideOf('peer', targetOf(running.proxy))
  const all = undo.move()
  return { sides: told(`${nameOf(daemon)} bare, and the same through a peer`), among: [bare, peer], bare, peer, peerCount: 1, pid: running.child.pid!, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Goals beside a bare daemon that were set for one peer in front of it. */
export function goalsOfOne ({ peerCount }: RunningContest, bare: NonNullable<Goals['bare']>): { readonly goals?: Goals } {
  return peerCount === 1 ? { goals: { bare } } : {}
}

export interface Comparison<S extends Side = Side> {
  readonly title: string
  /** How often each side has its turn. */
  readonly rounds: number
  readonly measured: Readonly<Record<string, Measured>>
  readonly over?: Growth
  /** `number` is below 0 while it warms up. */
  readonly round: (side: S, number: number) => Promise<Round>
}

/** Before that what runs is still being compiled, and up to a third slower. */
const warmUps = 2

/** Some turns of each to warm up, then turns in an order that changes, so that a slow minute of the machine hits all. Prints the table. */
export async function compare<S extends Side> ({ sides, among }: { readonly sides: string, readonly among: readonly S[] }, { title, rounds, measured, over, round }: Comparison<S>): Promise<void> {
  const results: { -readonly [name in keyof Rounds]: Round[] } = {}
  for (let number = -warmUps; number < 0; number++) for (const side of among) await round(side, number)
  for (let number = 0; number < rounds; number++) {
    const first = number % among.length
    for (const side of [...among.slice(first), ...among.slice(0, first)]) (results[side.name] ??= []).push(await round(side, number))
  }
  await tell({ sides, title, rounds: results, measured, ...over !== undefined && { over } })
}

/** Seconds that `work` took. */
export async function secondsOf (work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return (performance.now() - startMs) / 1_000
}
