/** The listening side: who may speak is settled by the first frame; then messages, or a snapshot, for as long as it lasts. */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { FrameReader } from './frame.ts'
import { decodeHello, frameTag } from './handshake.ts'
import type { Hello, Refusal } from './handshake.ts'
import { decodeMessages, heardFrame, refusedFrame, snapshotDoneFrame, snapshotOffsetFrame, upTo, welcomeFrame } from './link-frames.ts'
import type { Frames } from './link-frames.ts'
import { decodeManifest } from './snapshot-files.ts'
import { hostAndPort } from './tcp-lane.ts'
import type { TransportHandlers } from './transport.ts'

export interface TcpInboundComponents {
  readonly handlers: TransportHandlers
  readonly letIn: (hello: Hello) => Promise<Refusal | undefined>
}

export class TcpInbound implements AsyncDisposable {
  readonly #with: TcpInboundComponents
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor (components: TcpInboundComponents) {
    this.#with = components
    this.#server = createServer(socket => { this.#serve(socket) })
  }

  async listen (address: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(hostAndPort(address), resolve)
    })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server.listening) await new Promise(resolve => this.#server.close(resolve))
  }

  #serve (socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    const reader = new FrameReader()
    const greeted = (chunk: Uint8Array): void => {
      try {
        const [hello, ...early] = reader.push(chunk)
        if (hello === undefined) return
        socket.off('data', greeted)
        socket.pause()
        void this.#greet(socket, reader, decodeHello(hello), early).catch(() => socket.destroy())
      } catch { socket.destroy() }
    }
    socket.on('data', greeted)
  }

  async #greet (socket: Socket, reader: FrameReader, said: Hello, early: readonly Uint8Array[]): Promise<void> {
    const refusal = await this.#with.letIn(said)
    if (refusal !== undefined) {
      socket.end(refusedFrame(refusal))
      return
    }
    socket.write(welcomeFrame())
    if (said.lane === 'snapshot') await this.#takeSnapshot(socket, reader, said, early)
    else this.#takeMessages(socket, reader, said, early)
  }

  #takeMessages (socket: Socket, reader: FrameReader, said: Hello, early: readonly Uint8Array[]): void {
    const tag = frameTag(said)
    const take = (bodies: readonly Uint8Array[]): void => {
      const messages = bodies.flatMap(body => {
        const carried = decodeMessages(body, tag)
        if (carried.length === 0) socket.write(heardFrame())
        return carried
      })
      if (messages.length === 0) return
      const full = this.#with.handlers.received(said.from.id, messages)
      if (full === undefined) return
      socket.pause()
      void full.then(() => socket.resume())
    }
    socket.on('data', chunk => { try { take(reader.push(chunk)) } catch { socket.destroy() } })
    take(early)
    socket.resume()
  }

  async #takeSnapshot (socket: Socket, reader: FrameReader, said: Hello, early: readonly Uint8Array[]): Promise<void> {
    const { handlers } = this.#with
    const frames = framesOf(socket, reader, early)
    const offer = await frames.next()
    const manifest = offer.done === true ? undefined : decodeManifest(offer.value)
    if (manifest === undefined) { socket.destroy(); return }
    const have = await handlers.snapshotOffered(said.from.id, manifest)
    socket.write(snapshotOffsetFrame(have))
    await handlers.snapshotArrives(said.from.id, manifest, upTo(frames, manifest.bytes - have))
    socket.end(snapshotDoneFrame())
  }
}

export async function * framesOf (socket: Socket, reader: FrameReader, early: readonly Uint8Array[]): Frames {
  yield * early
  for await (const chunk of socket) yield * reader.push(chunk as Uint8Array)
}
