import { Duplex } from 'node:stream'
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'

/**
 * A stream of libp2p as one of Node, so that its HTTP server takes it for a connection. It is read by its events and paused when
 * nobody reads: iterating one takes in whatever the network brings (see `rpc/paced-stream.ts`).
 */
export function streamDuplex (stream: Stream): Duplex {
  const duplex = new Duplex({
    allowHalfOpen: true,
    read () {
      if (stream.readStatus === 'paused') stream.resume()
    },
    write (bytes: Buffer, _encoding, done) {
      if (stream.writeStatus !== 'writable') return done(new Error('the other side takes no more'))
      stream.send(bytes)
      if (stream.writableNeedsDrain) stream.addEventListener('drain', () => { done() }, { once: true })
      else done()
    },
    final (done) {
      stream.close().then(() => { done() }, done)
    },
    destroy (err, done) {
      if (stream.status === 'open') stream.abort(err ?? new Error('closed'))
      done(err)
    }
  })
  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    for (const bytes of data instanceof Uint8Array ? [data] : data) {
      if (!duplex.push(bytes) && stream.readStatus === 'readable') stream.pause()
    }
  })
  stream.addEventListener('remoteCloseWrite', () => { duplex.push(null) })
  stream.addEventListener('close', ({ error }: StreamCloseEvent) => { duplex.destroy(error) })
  return duplex
}
