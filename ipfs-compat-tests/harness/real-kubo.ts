import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../cluster/consensus/raft/processes/ports.ts'
import type { Daemon, DaemonOptions, DaemonProcess } from './kubo.ts'
import { placeholdersOf } from './placeholders.ts'
import { stopProcess } from './stop-process.ts'

const host = '127.0.0.1'
const startTimeoutMs = 180_000

/** Runs `binary` on a repo of its own under the system's folder for temporary files. */
export async function startRealKubo (binary: string, { config = {}, args = [], profile }: DaemonOptions): Promise<Daemon> {
  await using undo = new AsyncDisposableStack()
  const repoPath = undo.adopt(await mkdtemp(join(tmpdir(), 'ipfs-quorum-kubo-')), path => rm(path, { recursive: true, force: true }))
  const env = { ...process.env, IPFS_PATH: repoPath }
  await run(binary, ['init', '--empty-repo', ...profile === undefined ? [] : ['--profile', profile]], env)

  const [apiPort, swarmPort] = await freePorts([0, 0]) as [number, number]
  const file = join(repoPath, 'config')
  const ours = merge(merge(JSON.parse(await readFile(file, 'utf8')), aloneOnLoopback(apiPort, swarmPort)), config)
  await writeFile(file, JSON.stringify(ours, null, 2))

  const itself = undo.use(await restartable(async () => await daemon(binary, args, env)))
  const values = { ...await placeholdersOf(host, apiPort, config), SWARM_PORT: String(swarmPort) }
  const running = undo.move()
  return { kind: 'kubo', host, port: apiPort, repoPath, values, process: itself, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** The settings that the recordings were made with, see their README. */
function aloneOnLoopback (apiPort: number, swarmPort: number): object {
  return {
    Addresses: { API: `/ip4/${host}/tcp/${apiPort}`, Gateway: [], Swarm: [`/ip4/${host}/tcp/${swarmPort}`] },
    AutoConf: { Enabled: false },
    AutoTLS: { Enabled: false },
    Bootstrap: [],
    Discovery: { MDNS: { Enabled: false } },
    DNS: { Resolvers: {} },
    Ipns: { DelegatedPublishers: [] },
    Routing: { Type: 'none', DelegatedRouters: [] },
    Swarm: { DisableNatPortMap: true, RelayClient: { Enabled: false }, RelayService: { Enabled: false }, Transports: { Network: { Relay: false } } }
  }
}

/** Objects are merged key by key, all else replaced. */
function merge (into: Record<string, unknown>, from: object): Record<string, unknown> {
  const merged = { ...into }
  for (const [key, value] of Object.entries(from)) {
    const old = merged[key]
    merged[key] = isRecord(value) && isRecord(old) ? merge(old, value) : value
  }
  return merged
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function run (binary: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(binary, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const said = textOf(child)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`ipfs ${args.join(' ')} ended with ${String(code)}: ${said()}`)
}

interface Running extends AsyncDisposable { readonly pid: number, kill (): Promise<void> }

async function restartable (start: () => Promise<Running>): Promise<DaemonProcess & AsyncDisposable> {
  let running = await start()
  return {
    get pid () { return running.pid },
    kill: async () => { await running.kill() },
    async start () { running = await start() },
    [Symbol.asyncDispose]: async () => { await running[Symbol.asyncDispose]() }
  }
}

async function daemon (binary: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Running> {
  const child = spawn(binary, ['daemon', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = textOf(child)
  const ended = once(child, 'close')
  const ready = new Promise<void>(resolve => child.stdout.on('data', () => { if (said().includes('Daemon is ready')) resolve() }))
  const outcome = await Promise.race([ready.then(() => 'ready'), ended.then(() => 'ended'), late(startTimeoutMs)])
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  if (outcome === 'ready') return { pid: child.pid!, kill, [Symbol.asyncDispose]: () => stopProcess(child, ended) }
  child.kill('SIGKILL')
  throw new Error(`ipfs daemon ${outcome} before it was ready: ${said()}`)
}

function late (ms: number): Promise<'late'> {
  return new Promise(resolve => setTimeout(resolve, ms, 'late').unref())
}

function textOf (child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return () => text
}
