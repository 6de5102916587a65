import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openDoor } from '../cluster/async/open-door.ts'
import { urlOf } from '../cluster/config/endpoint.ts'
import type { Endpoint } from '../cluster/config/endpoint.ts'

/** Opens a door. @throws ClusterError ERR_STORAGE that names the setting and what is in the way */
export async function open (server: Server, endpoint: Endpoint): Promise<Server> {
  await openDoor({ ...endpoint, setting: 'api.ipfsproxy.listen_multiaddress' }, async () => {
    server.listen(endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port })
    await once(server, 'listening')
  })
  return server
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
