/** The listening side: who may speak is settled by the first frame; then messages, or a snapshot, for as long as it lasts. */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { ByteReader, ByteWriter } from './bytes.ts'
import { readMessage } from './codec.ts'
import type { Message } from './core/types.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { decodeHello, frameTag } from './handshake.ts'
import type { Hello, Refusal } from './handshake.ts'
import { decodeManifest } from './snapshot-files.ts'
import { hostAndPort, refusedKind, snapshotDoneKind, snapshotOffsetKind, welcomeKind } from './tcp-lane.ts'
import type { TransportHandlers } from './transport.ts'

export interface TcpInboundComponents {
  readonly handlers: TransportHandlers
  readonly letIn: (hello: Hello) => Promise<Refusal | undefined>
  /** For tests: what this peer says is dropped. */
  readonly isCut: (hello: Hello) => boolean
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
      socket.end(encodeFrame(new ByteWriter().u8(refusedKind).text(refusal).done()))
      return
    }
    socket.write(encodeFrame(Uint8Array.of(welcomeKind)))
    if (said.lane === 'snapshot') await this.#takeSnapshot(socket, reader, said, early)
    else this.#takeMessages(socket, reader, said, early)
  }

  #takeMessages (socket: Socket, reader: FrameReader, said: Hello, early: readonly Uint8Array[]): void {
    const tag = frameTag(said)
    const take = (bodies: readonly Uint8Array[]): void => {
      const messages = bodies.flatMap(body => decodeMessages(body, tag))
      if (messages.length === 0 || this.#with.isCut(said)) return
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
    if (manifest === undefined || this.#with.isCut(said)) { socket.destroy(); return }
    const have = await handlers.snapshotOffered(said.from.id, manifest)
    socket.write(encodeFrame(new ByteWriter().u8(snapshotOffsetKind).varint(have).done()))
    await handlers.snapshotArrives(said.from.id, manifest, upTo(frames, manifest.bytes - have))
    socket.end(encodeFrame(Uint8Array.of(snapshotDoneKind)))
  }
}

export async function * framesOf (socket: Socket, reader: FrameReader, early: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield * early
  for await (const chunk of socket) yield * reader.push(chunk as Uint8Array)
}

/** Frames until so many bytes have come; ends early only if the connection does. */
async function * upTo (frames: AsyncGenerator<Uint8Array, void, undefined>, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let left = bytes; left > 0;) {
    const frame = await frames.next()
    if (frame.done === true) return
    left -= frame.value.length
    yield frame.value
  }
}

function decodeMessages (body: Uint8Array, tag: number): readonly Message[] {
  const from = new ByteReader(body)
  if (from.u32() !== tag) throw new Error('a frame of somebody else')
  return Array.from({ length: from.varint() }, () => readMessage(from))
}
