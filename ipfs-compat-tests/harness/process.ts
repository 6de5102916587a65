/** The peer as a process of its own, as an operator starts it: for what only shows there. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const service = fileURLToPath(new URL('../../bin/ipfs-cluster-service.ts', import.meta.url))
const ctl = fileURLToPath(new URL('../../bin/ipfs-cluster-ctl.js', import.meta.url))
const readyTimeoutMs = 180_000
/** A program that should have ended by then does not outlive the test that started it. */
const runTimeoutMs = 120_000

export interface ProgramResult { readonly code: number | null, readonly out: string, readonly err: string }

export interface PeerProcess {
  readonly child: ChildProcess
  /** Of proxy and REST API, as the panel names them. */
  readonly proxy: string
  readonly rest: string
  out (): string
  err (): string
  /** Sends the signal and waits for the end. */
  stop (signal?: NodeJS.Signals): Promise<ProgramResult>
}

/** Nothing of the machine's own settings, no Kubo at the usual address: what a test wants, it says. */
export function cleanEnv (settings: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('CLUSTER_') && !name.startsWith('IPFS_'))
  return {
    ...Object.fromEntries(kept),
    CLUSTER_IPFSPROXY_LISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/0',
    CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/0',
    CLUSTER_LISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/0',
    ...settings
  }
}

/** Settings that point a peer at the daemon there. */
export function daemonSettings ({ host, port }: { readonly host: string, readonly port: number }): Record<string, string> {
  const address = `/ip4/${host}/tcp/${port}`
  return { CLUSTER_IPFSPROXY_NODEMULTIADDRESS: address, CLUSTER_IPFSHTTP_NODEMULTIADDRESS: address }
}

export const runService = (args: readonly string[], env: NodeJS.ProcessEnv, input?: string): Promise<ProgramResult> => run(service, args, env, input)
export const runCtl = (args: readonly string[], env: NodeJS.ProcessEnv = cleanEnv()): Promise<ProgramResult> => run(ctl, args, env)

/** The program on its way: what it has said so far, and when it has ended. */
export interface LaunchedPeer { readonly child: ChildProcess, readonly ended: Promise<unknown>, out (): string, err (): string }

/** As `runCtl`, and waits for nothing. */
export function launchCtl (args: readonly string[]): LaunchedPeer {
  const child = spawn(process.execPath, [ctl, ...args], { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] })
  return { child, ended: once(child, 'close'), ...textOf(child) }
}

/** Starts `daemon --init` on the folder, with further arguments, and waits for nothing. */
export function launchPeer (folder: string, settings: Readonly<Record<string, string>> = {}, args: readonly string[] = []): LaunchedPeer {
  const child = spawn(process.execPath, [service, '--config', folder, 'daemon', '--init', ...args], { env: cleanEnv(settings), stdio: ['ignore', 'pipe', 'pipe'] })
  return { child, ended: once(child, 'close'), ...textOf(child) }
}

/** As `launchPeer`, and waits for the panel. @throws Error with what it said when it ends before */
export async function startPeerProcess (folder: string, settings: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Promise<PeerProcess> {
  const { child, ended, ...said } = launchPeer(folder, settings, args)
  const panel = new Promise<void>(resolve => child.stdout!.on('data', () => { if (said.out().includes('\ntry\n')) resolve() }))
  const timeout = AbortSignal.timeout(readyTimeoutMs)
  await Promise.race([panel, ended, once(timeout, 'abort')])
  if (child.exitCode !== null || timeout.aborted) {
    child.kill('SIGKILL')
    throw new Error(`the peer did not get ready: ${said.out()}${said.err()}`)
  }
  return {
    child,
    proxy: /IPFS proxy +(\S+)/.exec(said.out())![1]!,
    rest: /REST API +(\S+)/.exec(said.out())![1]!,
    ...said,
    async stop (signal = 'SIGINT') {
      child.kill(signal)
      await ended
      return { code: child.exitCode, out: said.out(), err: said.err() }
    }
  }
}

async function run (program: string, args: readonly string[], env: NodeJS.ProcessEnv, input?: string): Promise<ProgramResult> {
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: runTimeoutMs, killSignal: 'SIGKILL' })
  const { out, err } = textOf(child)
  child.stdin.end(input ?? '')
  const [code] = await once(child, 'close') as [number | null]
  return { code, out: out(), err: err() }
}

function textOf (child: ChildProcess): { out (): string, err (): string } {
  let [out, err] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', (text: string) => { out += text })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { err += text })
  return { out: () => out, err: () => err }
}
