/** One outgoing stream to another peer: says hello, then carries frames. Opens again when it ends; until then frames are dropped, not kept. */
import { pause } from '../../async/pause.ts'
import type { PeerId } from '../../api/pin.ts'
import type { Clock } from '../../clock.ts'
import type { PeerLane as Connection, PeerStream, PeerStreams } from '../../peer-ports.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { encodeHello, frameTag } from './handshake.ts'
import type { Lane } from './handshake.ts'
import { decodeLaneAnswer, encodeMessages } from './link-frames.ts'
import type { LaneOptions, PeerLane } from './peer-links.ts'
import { RoundTrip } from './round-trip.ts'

export const raftProtocol = (lane: Lane): string => `/ipfs-quorum/raft/${lane}/1`
/** Heartbeats and votes never share a socket with entries, nor entries with what is large. */
export const laneOf: Readonly<Record<Lane, Connection>> = { control: 'swift', append: 'log', snapshot: 'bulk' }

const reconnectMinMs = 50
const reconnectMaxMs = 1_000

export function openStreamLane ({ streams, peer, lane, clock, hello, queueBytesMax, lost }: LaneOptions & {
  readonly streams: PeerStreams
  readonly peer: PeerId
  readonly lane: Lane
  readonly clock: Clock
}): PeerLane {
  const ending = new AbortController()
  const roundTrip = new RoundTrip()
  const { signal } = ending
  let stream: PeerStream | undefined
  let tag: number | undefined
  let refused: string | undefined

  async function run (): Promise<void> {
    for (let waitMs = reconnectMinMs; !signal.aborted; waitMs = Math.min(waitMs * 2, reconnectMaxMs)) {
      try {
        stream = await streams.open(peer, raftProtocol(lane), laneOf[lane], { signal })
        const said = hello()
        stream.write(encodeFrame(encodeHello(said)))
        await listen(stream, frameTag(said))
      } catch {} // what has ended is opened again
      stream?.abort(new Error('the lane is closed'))
      stream = undefined
      roundTrip.broken()
      if (tag !== undefined) {
        tag = undefined
        waitMs = reconnectMinMs
        lost()
      }
      await pause(clock, waitMs, signal).catch(() => {})
    }
  }

  /** Until the stream ends. */
  async function listen ({ received }: PeerStream, agreed: number): Promise<void> {
    const reader = new FrameReader()
    for await (const chunk of received) {
      for (const body of reader.push(chunk)) {
        const said = decodeLaneAnswer(body)
        if (said.kind === 'welcome') { tag = agreed; refused = undefined }
        if (said.kind === 'refused') { refused = said.why; return }
        if (said.kind === 'heard') roundTrip.answered(performance.now())
      }
    }
  }

  void run()
  return {
    get connected () { return tag !== undefined },
    get queuedBytes () { return stream?.queuedBytes ?? 0 },
    get refused () { return refused },
    get roundTripMs () { return roundTrip.lastMs },
    send (body) {
      if (stream === undefined || tag === undefined || stream.queuedBytes > queueBytesMax) return false
      stream.write(encodeFrame(body(tag)))
      if (roundTrip.asks(performance.now())) stream.write(encodeFrame(encodeMessages([], tag)))
      return true
    },
    [Symbol.dispose] () {
      ending.abort(new Error('the lane is closed'))
      stream?.abort(new Error('the lane is closed'))
    }
  }
}
