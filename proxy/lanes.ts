import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { FastLane } from './fast-lane.ts'
import type { FastLaneParts } from './fast-lane.ts'

/** Whatever a server does with a connection that begins. */
type Takes = (socket: Socket) => void

/**
 * Puts the fast lane before node's HTTP server: a connection begins there and goes over with the first request that needs more.
 * `server` closes both. @returns what hands a connection to node's server directly
 */
export function openFastLane (server: Server, parts: Omit<FastLaneParts, 'handOver'>, isOpen: () => boolean): Takes {
  const [toHttp] = server.listeners('connection') as Takes[]
  const handOver: Takes = socket => { toHttp!.call(server, socket) }
  const lanes = new Map<Socket, FastLane>()
  server.off('connection', toHttp!)
  server.on('connection', (client: Socket) => {
    if (!isOpen()) {
      handOver(client)
      return
    }
    const leave = (): void => { lanes.delete(client) }
    lanes.set(client, new FastLane(client, { ...parts, handOver: socket => { leave(); client.off('close', leave); handOver(socket) } }))
    client.once('close', leave)
  })

  const { closeIdleConnections, closeAllConnections } = server
  server.closeIdleConnections = () => {
    for (const [client, lane] of lanes) if (lane.isIdle) client.destroy()
    closeIdleConnections.call(server)
  }
  server.closeAllConnections = () => {
    for (const client of lanes.keys()) client.destroy()
    closeAllConnections.call(server)
  }
  return handOver
}
