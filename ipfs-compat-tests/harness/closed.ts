import type { EventEmitter } from 'node:events'

/** Resolves when a connection has closed, in whatever way: who is cut off may be told with an error first, at which `once` of Node would give up. */
export async function closed (connection: EventEmitter): Promise<void> {
  await new Promise<void>(resolve => { connection.once('close', () => { resolve() }) })
}
