import { chmod, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { ClusterError } from '../api/errors.ts'
import { isAnswered } from '../async/is-answered.ts'
import type { Endpoint } from '../config/endpoint.ts'

/**
 * Opens the door. A unix socket that a process left behind when it was killed is taken over; only its owner may use it.
 *
 * @returns where it is: port 0 in the configuration is a free port here
 * @throws ClusterError ERR_STORAGE that names the setting and what is in the way
 */
export async function listening (app: FastifyInstance, endpoint: Endpoint, setting: string): Promise<Endpoint> {
  try {
    if (endpoint.kind === 'tcp') {
      await app.listen({ host: endpoint.host, port: endpoint.port })
      const { port } = app.server.address() as AddressInfo
      return { ...endpoint, port, multiaddr: endpoint.multiaddr.replace(/\/tcp\/0\b/, `/tcp/${port}`) }
    }
    if (!await isAnswered({ path: endpoint.path })) await rm(endpoint.path, { force: true })
    await app.listen({ path: endpoint.path })
    await chmod(endpoint.path, 0o600)
    return endpoint
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'another process listens there' : message
    throw new ClusterError('ERR_STORAGE', `${setting}: cannot listen on ${endpoint.multiaddr}: ${why}`, { cause: err })
  }
}
