import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'

const host = '127.0.0.1'
/** Below those that the kernel gives to outgoing connections: what is free there is still free after a restart. */
const range = [15_000, 32_000] as const

/** A port on loopback that nobody uses, below those the kernel gives to outgoing connections: it is still free after a restart. */
export async function freePort (): Promise<number> {
  const [port] = await freePorts([0])
  return port!
}

/** Ports on loopback: each as wished if nobody listens there, else as `freePort` finds one; 0 is any. All differ, for all are held until all are known. */
export async function freePorts (wished: readonly number[]): Promise<readonly number[]> {
  const servers: Server[] = []
  for (const port of wished) servers.push((port === 0 ? undefined : await holding(port)) ?? await holdingAny())
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(async server => {
    server.close()
    await once(server, 'close')
  }))
  return ports
}

async function holdingAny (): Promise<Server> {
  while (true) {
    const server = await holding(randomInt(...range))
    if (server !== undefined) return server
  }
}

/** Nothing when somebody has it. */
async function holding (port: number): Promise<Server | undefined> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return server
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw err
  }
}
