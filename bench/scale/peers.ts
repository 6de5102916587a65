import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { peerFolder } from '../../bin/service/folder.ts'
import { askRunning } from '../../bin/service/state/control.ts'
import { freePort } from '../../cluster/consensus/raft/processes/ports.ts'
import { daemonSettings, startPeerProcess } from '../../ipfs-compat-tests/harness/process.ts'
import type { PeerProcess } from '../../ipfs-compat-tests/harness/process.ts'
import { cpuSecondsOf, memoryOf } from '../process-figures.ts'
import type { Memory } from '../process-figures.ts'

/** A peer before a daemon that answers at once. What is asked of one that does not run throws. */
export interface ScalePeer {
  readonly folder: string
  readonly rest: string
  readonly address: string
  start (args?: readonly string[]): Promise<void>
  stop (): Promise<void>
  memory (): Promise<Memory>
  /** Processor time since it was started, in seconds. */
  cpuSeconds (): Promise<number>
  /** In its pinset. */
  pins (): Promise<number>
  /** With its daemon. */
  held (): Promise<number>
}

export interface ScaleCluster extends AsyncDisposable { readonly peers: readonly ScalePeer[] }

const nullDaemons = new URL('null-daemons.ts', import.meta.url)

/** Peers as processes of their own, in `folder`: the first founds a cluster, the others join it. Their daemons are those of a program like `null-daemons.ts`. */
export async function startPeers (folder: string, count: number, daemonProgram = nullDaemons): Promise<ScaleCluster> {
  await using undo = new AsyncDisposableStack()
  const daemons = fork(fileURLToPath(daemonProgram), [String(count)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  undo.defer(() => { daemons.kill('SIGKILL') })
  const [line] = await once(daemons.stdout!, 'data') as [Buffer]
  const secret = randomBytes(32).toString('hex')
  const peers: ScalePeer[] = []
  for (const [i, port] of (JSON.parse(String(line)) as number[]).entries()) {
    const { peer, kill } = await createPeer(join(folder, `peer-${i}`), port, secret)
    undo.defer(kill)
    await peer.start(i === 0 ? [] : ['--bootstrap', peers[0]!.address])
    peers.push(peer)
  }
  const running = undo.move()
  return { peers, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

async function createPeer (folder: string, daemonPort: number, secret: string): Promise<{ readonly peer: ScalePeer, readonly kill: () => Promise<void> }> {
  const settings = {
    ...daemonSettings({ host: '127.0.0.1', port: daemonPort }), CLUSTER_SECRET: secret, IPFS_CLUSTER_LOG_LEVEL: 'error',
    CLUSTER_LISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${await freePort()}`
  }
  let process: PeerProcess | undefined
  const running = (): PeerProcess => {
    if (process === undefined) throw new Error(`the peer in ${folder} does not run`)
    return process
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await process?.stop(signal)
    process = undefined
  }
  const peer: ScalePeer = {
    folder,
    get rest () { return running().rest },
    get address () { return /join at (\S+)/.exec(running().out())![1]! },
    async start (args = []) { process = await startPeerProcess(folder, settings, args) },
    stop: () => end('SIGINT'),
    memory: () => memoryOf(running().child.pid!),
    cpuSeconds: () => cpuSecondsOf(running().child.pid!),
    async pins () {
      const [event] = await Array.fromAsync(askRunning(peerFolder(folder), { command: 'count' }, { signal: AbortSignal.timeout(60_000) }))
      return event !== undefined && 'done' in event ? Number(event.done) : 0
    },
    async held () {
      const answer = await fetch(`http://127.0.0.1:${daemonPort}/api/v0/repo/stat`, { method: 'POST' })
      return (await answer.json() as { NumObjects: number }).NumObjects
    }
  }
  return { peer, kill: () => end('SIGKILL') }
}
