import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { openDoor } from '../async/open-door.ts'
import type { Endpoint } from '../config/endpoint.ts'

/**
 * Opens the door.
 *
 * @returns where it is, and whether TLS is spoken there: port 0 in the configuration is a free port here
 * @throws ClusterError ERR_STORAGE that names the setting and what is in the way
 */
export async function listening (app: FastifyInstance, endpoint: Endpoint, { setting, isSecure }: { readonly setting: string, readonly isSecure: boolean }): Promise<Endpoint> {
  const at = endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port }
  await openDoor({ ...endpoint, setting }, async () => { await app.listen(at) })
  if (endpoint.kind === 'unix') return endpoint

  const { port } = app.server.address() as AddressInfo
  return { ...endpoint, port, secure: isSecure, multiaddr: endpoint.multiaddr.replace(/\/tcp\/0\b/, `/tcp/${port}`) }
}
