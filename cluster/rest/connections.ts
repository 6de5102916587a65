import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'

/** The connections of one server, whatever is spoken over them. */
export interface Connections {
  /** Ends all of them, whatever they are at. */
  cut (): void
}

/** @param server HTTP/1.1 or HTTP/2; Node's own `closeAllConnections` is of the first only */
export function connectionsOf (server: EventEmitter): Connections {
  const open = new Set<Duplex>()
  server.on('connection', (connection: Duplex) => {
    open.add(connection)
    connection.once('close', () => open.delete(connection))
  })
  return { cut () { for (const connection of open) connection.destroy() } }
}
