import type { Socket } from 'node:net'
import type { Clock } from '../cluster/clock.ts'

/** As long as Go waits (`rstAvoidanceDelay`). */
const lingerMs = 500

/**
 * Makes node close a connection as Go does: first its own side, then, a moment later, the rest. Node by itself destroys the socket
 * right after a last answer; a client that is still uploading is then reset by its own system before it has read the answer.
 */
export function lingerOnClose (socket: Socket, clock: Clock): void {
  socket.destroySoon = () => {
    if (socket.destroyed) return
    socket.end()
    giveUpSoon(socket, clock)
    socket.once('end', () => socket.destroy())
    socket.resume() // what still comes in is dropped
  }
}

/**
 * For a client that has closed its side and waits for what it had asked: nobody can tell it from one that has gone, so it does not
 * get long.
 */
export function giveUpSoon (socket: Socket, clock: Clock): void {
  const deadline = clock.after(lingerMs, () => socket.destroy())
  socket.once('close', () => deadline[Symbol.dispose]())
}
