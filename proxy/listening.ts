import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ClusterError } from '../cluster/api/errors.ts'
import { isAnswered } from '../cluster/async/is-answered.ts'
import { urlOf } from '../cluster/config/endpoint.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'

/**
 * Opens a door. A unix socket that a process left behind when it was killed is taken over; only its owner may use it.
 *
 * @throws ClusterError ERR_STORAGE that names the setting and what is in the way
 */
export async function open (server: Server, endpoint: Endpoint): Promise<Server> {
  try {
    if (endpoint.kind === 'unix' && !await isAnswered({ path: endpoint.path })) await rm(endpoint.path, { force: true })
    server.listen(endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port })
    await once(server, 'listening')
    if (endpoint.kind === 'unix') await chmod(endpoint.path, 0o600)
    return server
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'another process listens there' : message
    throw new ClusterError('ERR_STORAGE', `api.ipfsproxy.listen_multiaddress: cannot listen on ${endpoint.multiaddr}: ${why}`, { cause: err })
  }
}

/** Lets nobody in any more, and ends what is left once `ended` has settled. */
export async function close (server: Server, ended: Promise<unknown>): Promise<void> {
  const closed = new Promise<void>(resolve => { server.close(() => resolve()) })
  await ended
  server.closeAllConnections()
  await closed
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
