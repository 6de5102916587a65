/** One outgoing connection: says hello, then carries frames. Reconnects; while it cannot, frames are dropped, not kept. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Clock } from '../../clock.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { encodeHello, frameTag } from './handshake.ts'
import { decodeLaneAnswer, encodeMessages } from './link-frames.ts'
import type { LaneOptions, PeerLane } from './peer-links.ts'
import { RoundTrip } from './round-trip.ts'

export function openTcpLane ({ address, clock, hello, queueBytesMax, reconnectMs, lost }: LaneOptions & {
  readonly address: string
  readonly clock: Clock
  readonly reconnectMs: number
}): PeerLane {
  const { host, port } = hostAndPort(address)
  let socket: Socket | undefined
  let tag: number | undefined
  let refused: string | undefined
  let retry: Disposable | undefined
  let ended = false
  const roundTrip = new RoundTrip()

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
      roundTrip.broken()
      if (was !== undefined) lost()
      if (!ended) retry = clock.after(reconnectMs, open)
    })
  }

  function answer (body: Uint8Array, agreed: number): void {
    const said = decodeLaneAnswer(body)
    if (said.kind === 'welcome') { tag = agreed; refused = undefined }
    if (said.kind === 'refused') refused = said.why
    if (said.kind === 'heard') roundTrip.answered(performance.now())
  }

  open()
  return {
    get connected () { return tag !== undefined },
    get queuedBytes () { return socket?.writableLength ?? 0 },
    get refused () { return refused },
    get roundTripMs () { return roundTrip.lastMs },
    send (body) {
      if (socket === undefined || tag === undefined || socket.writableLength > queueBytesMax) return false
      socket.write(encodeFrame(body(tag)))
      if (roundTrip.asks(performance.now())) socket.write(encodeFrame(encodeMessages([], tag)))
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
