import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { joinSignals } from '../cluster/async/join-signals.ts'
import { openDoor } from '../cluster/async/open-door.ts'
import { pause } from '../cluster/async/pause.ts'
import type { Clock } from '../cluster/clock.ts'
import { urlOf } from '../cluster/config/endpoint.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'
import type { AbortOptions } from '../cluster/ports.ts'

/** Nobody tells when a connection has nothing under way any more. */
const lookEveryMs = 50

/** Opens a door. @throws ClusterError ERR_STORAGE that names the setting and what is in the way */
export async function open (server: Server, endpoint: Endpoint): Promise<Server> {
  await openDoor({ ...endpoint, setting: 'api.ipfsproxy.listen_multiaddress' }, async () => {
    server.listen(endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port })
    await once(server, 'listening')
  })
  return server
}

/** Lets nobody in any more, and ends each connection behind the answer that is under way; when `signal` aborts it cuts what is left. */
export async function close (server: Server, clock: Clock, { signal }: AbortOptions): Promise<void> {
  const closed = new AbortController()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => {
    closed.abort(new Error('closed'))
    resolve()
  })
  using waiting = joinSignals(signal, closed.signal)
  while (!waiting.signal.aborted) {
    await pause(clock, lookEveryMs, waiting.signal).catch(() => {})
    server.closeIdleConnections()
  }
  server.closeAllConnections()
  await promise
}

export function portOf (server: Server): number | undefined {
  const address = server.address() as AddressInfo | string | null
  return typeof address === 'object' && address !== null ? address.port : undefined
}

export function addressOf (server: Server): string {
  const address = server.address() as AddressInfo | string | null
  if (address === null) return 'closed'
  return typeof address === 'string' ? `unix:${address}` : urlOf({ multiaddr: '', kind: 'tcp', host: address.address, port: address.port, secure: false })
}
