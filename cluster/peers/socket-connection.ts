import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import type { AbortOptions, Logger } from '@libp2p/interface'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import type { SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'

/**
 * A secured socket as libp2p wants a connection. Node's own TLS reads and writes the TCP socket here: libp2p's encrypters sit on
 * top of a JavaScript stream instead, which costs half of the speed.
 */
export class SocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: TLSSocket

  constructor (socket: TLSSocket, init: { readonly remoteAddr: Multiaddr, readonly direction: 'inbound' | 'outbound', readonly log: Logger }) {
    super(init)
    this.#socket = socket
    socket.on('data', bytes => { this.onData(bytes) })
    socket.on('drain', () => { this.safeDispatchEvent('drain') })
    socket.on('error', err => { this.abort(err) })
    socket.once('close', () => { this.onTransportClosed() })
    if (socket.destroyed) queueMicrotask(() => { this.onTransportClosed() })
    socket.resume()
  }

  /** As one write: several that wait together cost Node's TLS three times as much as copying them into one first. */
  /** A frame's header and its body leave as one; copying them into one piece first costs more. */
  override sendData (data: Iterable<Uint8Array>): SendResult {
    let sentBytes = 0
    let canSendMore = true
    this.#socket.cork()
    for (const bytes of data) {
      sentBytes += bytes.byteLength
      canSendMore = this.#socket.write(bytes)
    }
    this.#socket.uncork()
    return { sentBytes, canSendMore }
  }

  override async sendClose (options?: AbortOptions): Promise<void> {
    if (this.#socket.destroyed) return
    this.#socket.destroySoon()
    await once(this.#socket, 'close', options)
  }

  override sendReset (): void { this.#socket.destroy() }
  override sendPause (): void { this.#socket.pause() }
  override sendResume (): void { this.#socket.resume() }
}
