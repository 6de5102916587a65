import type { Server } from 'node:http'
import { duplexPair, finished } from 'node:stream'
import type { Duplex } from 'node:stream'
import { endSoon } from './bad-request.ts'
import type { ParseFailure } from './bad-request.ts'
import { headLength, mendHead } from './mend-head.ts'

/** What stands in for connections that node's parser has given up. */
const standIns = new WeakMap<Duplex, Duplex>()

/**
 * Gives a request that node's parser refused to the server once more, its head mended, over a connection that stands in for the client's own. All that
 * comes later goes there, too: the parser of the first one has ended, and hands over what it gets with one error after the other. A head that has not
 * come in one piece cannot be mended.
 *
 * @returns whether it could be
 */
export function readAnew ({ rawPacket, bytesParsed = 0 }: ParseFailure, socket: Duplex, server: Server): boolean {
  const known = standIns.get(socket)
  if (known !== undefined) {
    if (rawPacket !== undefined) hand(rawPacket, socket, known)
    return true
  }
  // Further on than the first head: what stands before that has been taken.
  if (rawPacket === undefined || bytesParsed > (headLength(rawPacket) ?? 0)) return false
  const mended = mendHead(rawPacket)
  if (mended === rawPacket || mended[0] === 0) return false // good, or beyond mending: often it begins in the middle of a head
  const [ours, theirs] = duplexPair()
  standIns.set(socket, ours)
  server.emit('connection', theirs)
  hand(mended, socket, ours)
  ours.pipe(socket, { end: false })
  finished(ours, { writable: false }, () => { endSoon(socket) })
  socket.once('end', () => ours.end()).once('close', () => ours.destroy())
  return true
}

function hand (packet: Buffer, from: Duplex, to: Duplex): void {
  if (!to.writable || to.write(packet)) return
  from.pause()
  to.once('drain', () => from.resume())
}
