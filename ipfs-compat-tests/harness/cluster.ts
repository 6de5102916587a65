/** Several peers as an operator starts them: each a process with a daemon of its own, on ports that were free. What other peers reach it at stays its own over restarts. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { freePort } from '../../cluster/consensus/raft/processes/ports.ts'
import { temporaryFolder } from './folder.ts'
import { startDaemon } from './kubo.ts'
import type { Daemon, DaemonProcess } from './kubo.ts'
import type { PeerLinks } from './peer-links.ts'
import { daemonSettings, startPeerProcess } from './process.ts'
import type { PeerProcess, ProgramResult } from './process.ts'
import type { RpcTarget } from './rpc.ts'

export type PeerSettings = Readonly<Record<string, string>>

/**
 * What makes the tests short: who is gone is noticed within seconds, though not so soon that a peer on a busy machine is taken for one, and daemons are
 * connected at once. There, who is to lead may be long in the finding, and is waited for.
 */
const quick: PeerSettings = {
  CLUSTER_MONITORPINGINTERVAL: '3s',
  CLUSTER_IPFSHTTP_CONNECTSWARMSDELAY: '100ms',
  CLUSTER_RAFT_WAITFORLEADERTIMEOUT: '90s'
}

/** One peer, which may be running or not. What is asked of one that is not throws. */
export interface TestPeer {
  readonly folder: string
  readonly settings: PeerSettings
  readonly id: string
  /** Where it is joined at. */
  readonly address: string
  readonly proxy: RpcTarget
  /** The REST API, as a URL. */
  readonly rest: string
  /** Its own daemon, past the proxy. */
  readonly daemon: RpcTarget
  /** Where that is a real Kubo. */
  readonly daemonProcess: DaemonProcess | undefined
  readonly process: PeerProcess
  readonly isRunning: boolean
  /** @throws Error with what it said when it ends before it is ready */
  start (args?: readonly string[], settings?: PeerSettings): Promise<void>
  /** As an operator stops it; waits for the end. */
  stop (): Promise<ProgramResult>
  /** With SIGKILL; waits for the end. */
  kill (): Promise<void>
  /** It stays connected and says nothing. */
  pause (): void
  resume (): void
}

export interface TestCluster extends AsyncDisposable {
  readonly peers: readonly TestPeer[]
  /** Of the cluster, for who joins by itself. */
  readonly settings: PeerSettings
  /** One more, not started. */
  another (settings?: PeerSettings): Promise<TestPeer>
}

export interface ClusterOptions {
  /** Of every peer: `{ CLUSTER_REPLICATIONFACTORMIN: '2' }`. */
  readonly settings?: PeerSettings
  /** What peers say to one another goes through these; peers are numbered as they are made. */
  readonly links?: PeerLinks
}

/** The first founds a cluster, the others join through it. With IPFS_BIN set each has a real Kubo, else the embedded daemon. */
export async function startCluster (count: number, { settings = {}, links }: ClusterOptions = {}): Promise<TestCluster> {
  await using undo = new AsyncDisposableStack()
  const { path } = undo.use(await temporaryFolder())
  const daemons = undo.use(new AsyncDisposableStack())
  const shared = { ...quick, CLUSTER_SECRET: randomBytes(32).toString('hex'), ...settings }
  const all: TestPeer[] = []
  let made = 0
  const cluster = {
    settings: shared,
    async another (more: PeerSettings = {}) {
      const number = made++
      const folder = join(path, `peer-${number}`)
      const daemon = isKuboNamed() ? daemons.use(await startDaemon()) : undefined
      const port = await freePort()
      const linked = await links?.add(number, port)
      const peer = createTestPeer(folder, { ...shared, ...daemonOf(daemon), CLUSTER_LISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${port}`, ...linked, ...more }, daemon?.process)
      all.push(peer)
      return peer
    }
  }
  undo.defer(async () => { await Promise.all(all.filter(peer => peer.isRunning).map(async peer => await peer.kill())) })

  const peers = await Promise.all(Array.from({ length: count }, async () => await cluster.another()))
  await peers[0]!.start()
  const joined = await Promise.allSettled(peers.slice(1).map(async peer => await peer.start(['--bootstrap', peers[0]!.address])))
  for (const one of joined) if (one.status === 'rejected') throw one.reason
  const running = undo.move()
  return { peers, ...cluster, [Symbol.asyncDispose]: async () => await running.disposeAsync() }
}

function createTestPeer (folder: string, settings: PeerSettings, daemonProcess: DaemonProcess | undefined): TestPeer {
  let process: PeerProcess | undefined
  const running = (): PeerProcess => {
    if (process === undefined) throw new Error(`the peer in ${folder} does not run`)
    return process
  }
  const shown = (pattern: RegExp): string => pattern.exec(running().out())![1]!
  async function end (signal: NodeJS.Signals): Promise<ProgramResult> {
    const result = await running().stop(signal)
    process = undefined
    return result
  }
  return {
    folder,
    settings,
    daemonProcess,
    get id () { return shown(/^ +peer +(\w+)/m) },
    get address () { return shown(/join at (\S+)/) },
    get proxy () { return targetOf(running().proxy) },
    get rest () { return running().rest },
    get daemon () { return targetOf(shown(/^ +daemon .* at (http\S+)$/m)) },
    get process () { return running() },
    get isRunning () { return process !== undefined },
    async start (args = [], more = {}) { process = await startPeerProcess(folder, { ...settings, ...more }, args) },
    stop: async () => await end('SIGINT'),
    async kill () { await end('SIGKILL') },
    pause () { running().child.kill('SIGSTOP') },
    resume () { running().child.kill('SIGCONT') }
  }
}

/** @throws TypeError for what is no URL */
export function targetOf (url: string): RpcTarget {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port === '' ? 80 : port) }
}

const daemonOf = (daemon: Daemon | undefined): PeerSettings => daemon === undefined ? { CLUSTER_EMBEDDED_USE: 'always' } : daemonSettings(daemon)

const isKuboNamed = (): boolean => (process.env['IPFS_BIN'] ?? '') !== ''
