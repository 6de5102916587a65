import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../cluster/config/section.ts'
import { freePorts } from '../../cluster/consensus/raft/processes/ports.ts'
import { initFolder, peerFolder, readFolder } from '../service/folder.ts'
import { version } from '../version.ts'
import { startChild } from './child.ts'
import type { Child } from './child.ts'
import { findKubo, startKubo } from './kubo.ts'

const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'] as const
/** How many peers there can be, in words. */
const numbers = ['', 'one', 'two', 'three', 'four', 'five', 'six', 'seven'] as const
/** A port that was free may be taken before the peer listens there. */
const portTriesMax = 3
const service = fileURLToPath(new URL('../ipfs-cluster-service.ts', import.meta.url))

export interface DemoContext {
  /** How many peers, see `parsePeers`. */
  readonly peers: number
  readonly env: NodeJS.ProcessEnv
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

interface DemoPorts { readonly proxyPort: number, readonly restPort: number, readonly peerPort: number }
interface DemoPeer extends DemoPorts {
  readonly name: string
  readonly folder: string
  readonly daemon: string | undefined
}
interface Started extends DemoPeer {
  readonly pid: number
  /** Where other peers reach it. */
  readonly contact: string
}

/** @throws Error when it is no number of peers that the demo can start */
export function parsePeers (text: string): number {
  if (!/^[1-7]$/.test(text)) throw new Error(`--peers ${text}: expected a number from 1 to ${names.length}`)
  return Number(text)
}

/**
 * Peers, each with a daemon of its own, as one cluster on loopback, until the signal aborts. All they keep is in one temporary folder,
 * which goes with them.
 *
 * @throws Error when one of them does not get ready
 */
export async function runDemo ({ peers: count, env, say, signal }: DemoContext): Promise<void> {
  const children: Child[] = []
  const clean = withoutSettings(env)
  await using undo = new AsyncDisposableStack()
  const folder = undo.adopt(await mkdtemp(join(tmpdir(), 'ipfs-quorum-demo-')), async path => { await rm(path, { recursive: true, force: true }) })
  undo.defer(async () => { await Promise.all(children.map(async child => await child[Symbol.asyncDispose]())) })
  const kept = (child: Child): Child => {
    children.push(child)
    child.ended.then(how => { if (!signal.aborted) say(`${how}\n`) })
    return child
  }

  const kubo = await findKubo(env)
  say(kubo === undefined ? 'No Kubo here (IPFS_BIN, or ipfs on the PATH): each peer runs its embedded daemon.' : `Starting ${counted(count, 'daemon')} (${kubo}).`)
  const peers = await peersOf(folder, count)
  const daemons = kubo === undefined
    ? []
    : await Promise.all(peers.map(async ({ name, folder }) => {
      const { child, multiaddr } = await startKubo(kubo, { name: `the Kubo of ${name}`, folder, env: clean, signal })
      kept(child)
      return multiaddr
    }))

  say(`Starting ${counted(count, 'peer')}.`)
  const secret = randomBytes(32).toString('hex')
  const [first, ...others] = peers.map((peer, i) => ({ ...peer, daemon: daemons[i] }))
  const begin = async (peer: DemoPeer, args: readonly string[]): Promise<Started> => {
    const id = await initPeer(peer, secret)
    const child = await startChild({ name: `the peer ${peer.name}`, command: process.execPath, args: [service, '--config', join(peer.folder, 'peer'), 'daemon', ...args], env: clean, log: join(peer.folder, 'peer.log') })
    await using stopping = new AsyncDisposableStack()
    stopping.use(child)
    await child.said(/is ready\n[^]*\ntry\n/, signal)
    stopping.move()
    return { ...peer, pid: kept(child).pid, contact: `/ip4/127.0.0.1/tcp/${peer.peerPort}/p2p/${id}` }
  }
  const start = async (peer: DemoPeer, args: readonly string[], triesLeft = portTriesMax): Promise<Started> => {
    try {
      return await begin(peer, args)
    } catch (err) {
      if (triesLeft === 0 || !/another process listens there/.test((err as Error).message)) throw err
      return await start({ ...peer, ...await portsFor(peer) }, args, triesLeft - 1)
    }
  }
  const founder = await start(first!, [])
  const started = [founder, ...await Promise.all(others.map(async peer => await start(peer, ['--bootstrap', founder.contact])))]

  say(panelOf(started, folder))
  await aborted(signal)
  say(`\nEnding ${counted(count, 'peer')} and what they started.`)
}

const counted = (count: number, what: string): string => `${numbers[count]} ${what}${count === 1 ? '' : 's'}`

/** The first REST API is where tools look for it; the proxies are one after another. */
async function peersOf (folder: string, count: number): Promise<readonly Omit<DemoPeer, 'daemon'>[]> {
  const ports = await freePorts(names.slice(0, count).flatMap((_name, i) => [9095 + i, i === 0 ? 9094 : 0, 0]))
  return await Promise.all(names.slice(0, count).map(async (name, i) => {
    const own = join(folder, name)
    await mkdir(own)
    return { name, folder: own, proxyPort: ports[3 * i]!, restPort: ports[3 * i + 1]!, peerPort: ports[3 * i + 2]! }
  }))
}

/** As they were, where nobody else has taken them meanwhile. */
async function portsFor ({ proxyPort, restPort, peerPort }: DemoPorts): Promise<DemoPorts> {
  const [proxy, rest, own] = await freePorts([proxyPort, restPort, peerPort])
  return { proxyPort: proxy!, restPort: rest!, peerPort: own! }
}

/** Writes its files; the identity stays, if it was there. @returns its id */
async function initPeer ({ name, folder, proxyPort, restPort, peerPort, daemon }: DemoPeer, secret: string): Promise<string> {
  const at = (port: number): string => `/ip4/127.0.0.1/tcp/${port}`
  const settings: Environment = {
    CLUSTER_PEERNAME: name,
    CLUSTER_SECRET: secret,
    CLUSTER_LISTENMULTIADDRESS: at(peerPort),
    CLUSTER_IPFSPROXY_LISTENMULTIADDRESS: at(proxyPort),
    CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: at(restPort),
    CLUSTER_MONITORPINGINTERVAL: '2s', // who is killed for a try is missed soon
    CLUSTER_IPFSHTTP_CONNECTSWARMSDELAY: '1s',
    ...daemon === undefined ? { CLUSTER_EMBEDDED_USE: 'always' } : { CLUSTER_IPFSPROXY_NODEMULTIADDRESS: daemon, CLUSTER_IPFSHTTP_NODEMULTIADDRESS: daemon }
  }
  const own = peerFolder(join(folder, 'peer'))
  await initFolder(own, { env: settings, overwrites: true })
  return (await readFolder(own, {})).identity.id
}

function panelOf (peers: readonly Started[], folder: string): string {
  const url = (port: number): string => `http://127.0.0.1:${port}`
  const [first, second = first] = peers
  const host = first!.restPort === 9094 ? '' : `--host /ip4/127.0.0.1/tcp/${first!.restPort} `
  return [
    '',
    `ipfs-quorum ${version}: ${counted(peers.length, 'peer')} ${peers.length === 1 ? 'is' : 'are'} one cluster`,
    '',
    ...peers.map(({ name, proxyPort, restPort, daemon, pid }) => `  ${name.padEnd(6)} IPFS proxy ${url(proxyPort)}   REST API ${url(restPort)}   daemon ${daemon ?? 'embedded'}   process ${pid}`),
    `  folder ${folder}, with a log of each; it is removed at the end`,
    '',
    'try',
    `  curl -F file=@README.md ${url(first!.proxyPort)}/api/v0/add`,
    `  npm run -s ctl -- ${host}status`,
    `  curl -X POST ${url(second!.proxyPort)}/api/v0/pin/ls`,
    '',
    'Ctrl-C ends all of it.'
  ].join('\n')
}

/** The demo's peers and daemons are its own: what is set for others is not for them. */
function withoutSettings (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(CLUSTER|IPFS)_/.test(name)))
}

async function aborted (signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => { resolve() }, { once: true })
  await promise
}
