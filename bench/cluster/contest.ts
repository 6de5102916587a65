/** A cluster of ours beside a bare daemon, beside its own daemons with no cluster between, and beside another cluster. */
import { targetOf } from '../../ipfs-compat-tests/harness/cluster.ts'
import type { TestCluster } from '../../ipfs-compat-tests/harness/cluster.ts'
import type { RpcTarget } from '../../ipfs-compat-tests/harness/rpc.ts'
import { sideArguments, sideOf, startBareAndCluster } from '../harness.ts'
import type { Contest, Side } from '../harness.ts'
import type { Processes } from './spent.ts'

const peersUsually = 3
const wait = 'CLUSTER_IPFSPROXY_PINWAIT'

/** Where and how it is asked to pin. */
export interface PinDoor extends RpcTarget { path (cid: string): string }

/** When it answers that something is pinned: once that is agreed on, once `replication.min` daemons hold it, or all. */
export type PinAnswer = 'agreed' | 'min' | 'all'

export interface ClusterSide extends Side {
  readonly daemons: readonly RpcTarget[]
  readonly pinDoors: Readonly<Record<PinAnswer, PinDoor>>
  /** Where they are known. */
  readonly processes: Processes
}

export interface ClusterContest extends Contest, AsyncDisposable {
  readonly among: readonly ClusterSide[]
  /** Ours. */
  readonly cluster: TestCluster
  readonly peer: ClusterSide
  readonly against: ClusterSide | undefined
  readonly rounds: number
}

/**
 * Starts a bare daemon and a cluster (`--peers`, three) whose pins go everywhere, each peer with a daemon of its own. The last peer's proxy answers a pin when all hold it.
 *
 * @throws TypeError for arguments that are none
 */
export async function startClusterContest (args: readonly string[], roundsUsually: number): Promise<ClusterContest> {
  const { peers: count = peersUsually, rounds = roundsUsually, against, peer: running } = sideArguments(args)
  if (running !== undefined) throw new TypeError('--peer: a cluster of ours is started here, for its processes are looked at')
  const other = against === undefined ? undefined : otherCluster(against)

  await using undo = new AsyncDisposableStack()
  const { bare, cluster, sides } = undo.use(await startBareAndCluster(count))
  const { peers } = cluster
  const [asked, last] = [peers[0]!, peers.at(-1)!]
  if (count > 1) {
    await last.stop()
    await last.start([], { [wait]: 'all' })
  }
  const daemons = peers.map(peer => peer.daemon)
  const daemonPids = peers.flatMap(({ daemonProcess }) => daemonProcess?.pid ?? [])
  const peer: ClusterSide = {
    ...sideOf('peer', asked.proxy), daemons, rest: targetOf(asked.rest),
    pinDoors: { agreed: restDoor(targetOf(asked.rest)), min: kuboDoor(asked.proxy), all: kuboDoor(last.proxy) },
    processes: { asked: asked.process.child.pid!, others: peers.slice(1).map(({ process }) => process.child.pid!), daemons: daemonPids }
  }
  const limit: ClusterSide = { ...sideOf('limit', daemons[0]!), daemons, pinDoors: alike(kuboDoor(daemons[0]!)), processes: { others: [], daemons: daemonPids } }
  const alone: ClusterSide = { ...sideOf('bare', bare), daemons: [bare], pinDoors: alike(kuboDoor(bare)), processes: { others: [], daemons: bare.process === undefined ? [] : [bare.process.pid] } }
  const all = undo.move()
  return { sides, cluster, peer, rounds, against: other, among: [alone, limit, ...other === undefined ? [] : [other], peer], [Symbol.asyncDispose]: async () => { await all.disposeAsync() } }
}

/** What it answers when is its own affair: Go's answers when a pin is agreed on. */
function otherCluster (side: Side): ClusterSide {
  const { daemons, rest } = side
  if (daemons === undefined || rest === undefined) throw new TypeError('--against goes with --against-rest and --against-daemons here')
  return { ...side, daemons, pinDoors: { ...alike(kuboDoor(side)), agreed: restDoor(rest) }, processes: { others: [], daemons: [] } }
}

const kuboDoor = ({ host, port }: RpcTarget): PinDoor => ({ host, port, path: cid => `/api/v0/pin/add?arg=${cid}` })
const restDoor = ({ host, port }: RpcTarget): PinDoor => ({ host, port, path: cid => `/pins/${cid}` })
const alike = (door: PinDoor): ClusterSide['pinDoors'] => ({ agreed: door, min: door, all: door })

/** Only these, in their order. */
export function amongOnly ({ sides, among }: ClusterContest, ...names: ReadonlyArray<Side['name']>): { readonly sides: string, readonly among: readonly ClusterSide[] } {
  return { sides, among: among.filter(({ name }) => names.includes(name)) }
}
