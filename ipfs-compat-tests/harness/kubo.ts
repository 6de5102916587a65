/** Gives any test an IPFS daemon of its own: the real Kubo that `IPFS_BIN` names, else the embedded one. */
import { startEmbeddedDaemon } from './embedded-daemon.ts'
import { startRealKubo } from './real-kubo.ts'

/** Values of a running daemon that recordings have placeholders for: `{{PEER_ID}}`, `{{API_PORT}}`, … */
export type Placeholders = Readonly<Record<'API_PORT' | 'SWARM_PORT' | 'REPO_PATH' | 'PEER_ID' | 'PEER_ID_B36' | 'PUBLIC_KEY' | 'VERSION', string>>

export interface DaemonOptions {
  /** Merged into the daemon's config, as the `daemon.config` of a group of recordings is. */
  readonly config?: object
  /** Further arguments of `ipfs daemon`: `['--offline']`. */
  readonly args?: readonly string[]
  /** Profile given to `ipfs init`. */
  readonly profile?: string
}

export interface DaemonProcess {
  readonly pid: number
  /** With SIGKILL. */
  kill (): Promise<void>
  /** On the same repo and ports again. */
  start (): Promise<void>
}

export interface Daemon extends AsyncDisposable {
  readonly kind: 'kubo' | 'embedded'
  readonly host: string
  readonly port: number
  readonly repoPath: string
  readonly values: Placeholders
  /** Of a real Kubo; the embedded daemon has none of its own. */
  readonly process?: DaemonProcess
}

/** A daemon on a fresh repo that knows nobody: no bootstrap, no routing, no mDNS, loopback ports that were free. Its repo goes with it. */
export async function startDaemon (options: DaemonOptions = {}, kind: Daemon['kind'] = isKuboNamed() ? 'kubo' : 'embedded'): Promise<Daemon> {
  if (kind === 'kubo') return await startRealKubo(requireKubo(), options)
  return await startEmbeddedDaemon(options)
}

function isKuboNamed (): boolean {
  return (process.env['IPFS_BIN'] ?? '') !== ''
}

function requireKubo (): string {
  const binary = process.env['IPFS_BIN'] ?? ''
  if (binary === '') throw new Error('IPFS_BIN names no Kubo')
  return binary
}
