import type { PeerStream } from '../../peer-ports.ts'
import type { Frame, FrameReader } from './frame.ts'

/** One long-lived stream to each peer, shared by all calls: a message on an open stream costs a fifth of a new stream. */
export const callProtocol = '/ipfs-quorum/rpc-call/1'
/** A stream for each pull and each push, over the connection for what is bulky. */
export const streamProtocol = '/ipfs-quorum/rpc-stream/1'

/** Of one caller at the one who is called; more are refused. Callers of this version keep to half of it. */
export const callsMax = 256
export const streamsMax = 64

/** @throws the stream's end, or Error for what are no frames; then the stream is of no more use */
export async function * framesOf (stream: PeerStream, reader: FrameReader): AsyncGenerator<Frame, void, undefined> {
  for await (const bytes of stream.received) yield * reader.push(bytes)
}
