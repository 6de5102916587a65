import { once } from 'node:events'
import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'

/** A port on loopback that nobody uses, below those the kernel gives to outgoing connections: it is still free after a restart. */
export async function freePort (): Promise<number> {
  while (true) {
    const port = randomInt(15_000, 32_000)
    const server = createServer()
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => { resolve(false) })
      server.listen(port, '127.0.0.1', () => { resolve(true) })
    })
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
