/** A whole peer of one in this process: a fresh daemon, a folder of its own, every part the real one, on ports that were free. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose } from '../../bin/compose.ts'
import { initFolder, peerFolder, readFolder } from '../../bin/service/folder.ts'
import { systemClock } from '../../cluster/clock.ts'
import { urlOf } from '../../cluster/config/endpoint.ts'
import type { Environment } from '../../cluster/config/section.ts'
import { startInOrder } from '../../cluster/lifecycle.ts'
import { silentLogger } from '../../cluster/log.ts'
import type { ClusterApi, Component } from '../../cluster/ports.ts'
import type { Proxy } from '../../proxy/server.ts'
import { startDaemon } from './kubo.ts'
import type { Daemon, DaemonOptions, Placeholders } from './kubo.ts'

export interface Peer extends AsyncDisposable {
  /** Of the proxy. */
  readonly host: string
  readonly port: number
  /** The REST API, as a URL. */
  readonly rest: string
  /** The daemon's, but for `API_PORT`, which is the proxy's. */
  readonly values: Placeholders
  readonly daemon: Daemon
  readonly cluster: ClusterApi
}

export interface PeerOptions extends DaemonOptions {
  /** Settings as environment variables: `{ CLUSTER_IPFSPROXY_PINWAIT: 'commit' }`. */
  readonly env?: Environment
}

export async function startPeer ({ env = {}, ...daemonOptions }: PeerOptions = {}): Promise<Peer> {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(await startDaemon(daemonOptions))
  const path = undo.adopt(await mkdtemp(join(tmpdir(), 'ipfs-quorum-peer-')), path => rm(path, { recursive: true, force: true }))
  const settings = { ...settingsFor(daemon, daemonOptions.config), ...env }
  const folder = peerFolder(path)
  await initFolder(folder, { env: settings, overwrites: false })
  const loaded = await readFolder(folder, settings)

  const { components, cluster, rest } = compose({ folder, settings: loaded, daemon: { endpoint: loaded.configs.ipfsHttp.nodeMultiaddress, isEmbedded: false }, clock: systemClock, log: silentLogger, bootstrap: [], leaves: false, failed (err) { throw err }, removed () {} })
  undo.use(await startInOrder(components, new AbortController().signal))
  const { hostname, port } = new URL(proxyOf(components).addresses[0]!)
  const running = undo.move()
  return { host: hostname, port: Number(port), rest: urlOf(rest!.addresses[0]!), values: { ...daemon.values, API_PORT: port }, daemon, cluster, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** As a target for the recordings. */
export const startTarget = (options: DaemonOptions): Promise<Peer> => startPeer(options)

function settingsFor ({ host, port }: Daemon, config: object | undefined): Environment {
  const auth = firstSecret(config)
  const listen = '/ip4/127.0.0.1/tcp/0'
  const node = `/ip4/${host}/tcp/${port}`
  return {
    CLUSTER_LISTENMULTIADDRESS: listen,
    CLUSTER_IPFSPROXY_LISTENMULTIADDRESS: listen,
    CLUSTER_IPFSPROXY_NODEMULTIADDRESS: node,
    CLUSTER_IPFSPROXY_APIAUTH: auth,
    CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: listen,
    CLUSTER_IPFSHTTP_NODEMULTIADDRESS: node,
    CLUSTER_IPFSHTTP_APIAUTH: auth
  }
}

/** Of a daemon that has users, the first may call everything. */
function firstSecret (config: object | undefined): string | undefined {
  const users = (config as { API?: { Authorizations?: Record<string, { AuthSecret: string }> } } | undefined)?.API?.Authorizations
  return Object.values(users ?? {})[0]?.AuthSecret
}

function proxyOf (components: readonly Component[]): Proxy {
  const found = components.find(({ name }) => name === 'ipfsproxy')
  if (found === undefined) throw new Error('the peer has no proxy')
  return found as Proxy
}
