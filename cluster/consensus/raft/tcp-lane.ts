/** One outgoing connection: says hello, then carries frames. Reconnects; while it cannot, frames are dropped, not kept. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Clock } from '../../clock.ts'
import { ByteReader } from './bytes.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { encodeHello, frameTag, refusalText } from './handshake.ts'
import type { Hello, Refusal } from './handshake.ts'

export interface TcpLane extends Disposable {
  readonly connected: boolean
  readonly queuedBytes: number
  /** Why the other side does not listen to us, if it said so. */
  readonly refused: string | undefined
  /** False: dropped. `body` is called with the tag each frame must carry. */
  send (body: (tag: number) => Uint8Array): boolean
}

export const welcomeKind = 1
export const refusedKind = 2
export const snapshotOffsetKind = 3
export const snapshotDoneKind = 4

export function openTcpLane ({ address, clock, hello, queueBytesMax, reconnectMs, lost }: {
  readonly address: string
  readonly clock: Clock
  readonly hello: () => Hello
  readonly queueBytesMax: number
  readonly reconnectMs: number
  readonly lost: () => void
}): TcpLane {
  const { host, port } = hostAndPort(address)
  let socket: Socket | undefined
  let tag: number | undefined
  let refused: string | undefined
  let retry: Disposable | undefined
  let ended = false

  function open (): void {
    const said = hello()
    const opened = connect({ host, port, noDelay: true })
    socket = opened
    const reader = new FrameReader()
    opened.on('connect', () => { opened.write(encodeFrame(encodeHello(said))) })
    opened.on('data', chunk => {
      try {
        for (const body of reader.push(chunk)) answer(body, frameTag(said))
      } catch { opened.destroy() }
    })
    opened.on('error', () => {})
    opened.on('close', () => {
      if (socket !== opened) return
      const was = tag
      socket = tag = undefined
      if (was !== undefined) lost()
      if (!ended) retry = clock.after(reconnectMs, open)
    })
  }

  function answer (body: Uint8Array, agreed: number): void {
    const from = new ByteReader(body)
    const kind = from.u8()
    if (kind === welcomeKind) { tag = agreed; refused = undefined }
    if (kind === refusedKind) refused = refusalText[from.text() as Refusal]
  }

  open()
  return {
    get connected () { return tag !== undefined },
    get queuedBytes () { return socket?.writableLength ?? 0 },
    get refused () { return refused },
    send (body) {
      if (socket === undefined || tag === undefined || socket.writableLength > queueBytesMax) return false
      socket.write(encodeFrame(body(tag)))
      return true
    },
    [Symbol.dispose] () {
      ended = true
      retry?.[Symbol.dispose]()
      socket?.destroy()
    }
  }
}

export function hostAndPort (address: string): { readonly host: string, readonly port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}
