/** The proxy alone, on a `oneDaemonCluster`, as a target for the recordings. */
import { createAdder } from '../../adder/adder.ts'
import { systemClock } from '../../cluster/clock.ts'
import { parseEndpoint } from '../../cluster/config/endpoint.ts'
import { createAddingDaemon } from '../../cluster/ipfs/adding-daemon.ts'
import { importBlocks } from '../../cluster/ipfs/import-blocks.ts'
import { createRequests } from '../../cluster/ipfs/requests.ts'
import { silentLogger } from '../../cluster/log.ts'
import { proxySection } from '../../proxy/config.ts'
import { createProxy } from '../../proxy/server.ts'
import { startDaemon } from './kubo.ts'
import { oneDaemonCluster } from './one-daemon-cluster.ts'
import type { StartTarget } from './recordings/replay.ts'

export const startTarget: StartTarget = async options => {
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(await startDaemon(options))
  const node = `/ip4/${daemon.host}/tcp/${daemon.port}`
  const auth = authOf(options.config)
  const { cluster } = undo.use(oneDaemonCluster(parseEndpoint(node), { auth }))
  const requests = undo.use(createRequests({ clock: systemClock }, { endpoint: parseEndpoint(node), apiAuth: auth }))
  const adder = createAdder({
    cluster, daemon: createAddingDaemon(requests), clock: systemClock,
    putBlocks: async (_peer, blocks, roots, call) => await importBlocks({ requests, clock: systemClock }, blocks, roots, call)
  })
  const proxy = createProxy({ cluster, adder, clock: systemClock, log: silentLogger }, proxySection({ listen_multiaddress: '/ip4/127.0.0.1/tcp/0', node_multiaddress: node, api_auth: auth ?? '' }, {}))
  await proxy.start({ signal: new AbortController().signal })
  undo.use(proxy)
  const port = Number(new URL(proxy.addresses[0]!).port)
  const running = undo.move()
  return { host: '127.0.0.1', port, values: { ...daemon.values, API_PORT: String(port) }, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Of the user who may call everything, when the daemon has users. */
function authOf (config: object | undefined): string | undefined {
  const users = (config as { API?: { Authorizations?: Record<string, { AuthSecret: string }> } } | undefined)?.API?.Authorizations
  return Object.values(users ?? {})[0]?.AuthSecret
}
