import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'

const host = '127.0.0.1'

/** Ports on loopback: each as wished if nobody listens there, else any that is free; 0 is any. All differ, for all are held until all are known. */
export async function freePorts (wished: readonly number[]): Promise<readonly number[]> {
  const servers: Server[] = []
  for (const port of wished) servers.push(await holding(port) ?? (await holding(0))!)
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(async server => {
    server.close()
    await once(server, 'close')
  }))
  return ports
}

async function holding (port: number): Promise<Server | undefined> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return server
  } catch (err) {
    if (port === 0) throw err
    return undefined
  }
}
