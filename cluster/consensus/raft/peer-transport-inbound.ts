/** The listening side: who may speak is settled by the first frame and by whom the connection has proven to be; then messages, or a snapshot. */
import type { PeerStream } from '../../peer-ports.ts'
import { FrameReader } from './frame.ts'
import { decodeHello, frameTag } from './handshake.ts'
import type { Hello, Refusal } from './handshake.ts'
import { decodeMessages, heardFrame, refusedFrame, snapshotDoneFrame, snapshotOffsetFrame, upTo, welcomeFrame } from './link-frames.ts'
import type { Frames } from './link-frames.ts'
import { decodeManifest } from './snapshot-files.ts'
import type { TransportHandlers } from './transport.ts'

/** Serves one stream for as long as it lasts. @throws when it ends, or the other side breaks the rules */
export async function serveRaftStream (stream: PeerStream, handlers: TransportHandlers, letIn: (hello: Hello) => Promise<Refusal | undefined>): Promise<void> {
  const frames = streamFrames(stream)
  const first = await frames.next()
  if (first.done === true) return
  const said = decodeHello(first.value)
  if (said.from.name !== stream.peer) throw new Error(`${stream.peer} says that it is ${said.from.name}`)
  const refusal = await letIn(said)
  if (refusal !== undefined) {
    stream.write(refusedFrame(refusal))
    await frames.next() // ended by the other side, when it has read why
    return
  }
  stream.write(welcomeFrame())
  if (said.lane === 'snapshot') await takeSnapshot(stream, frames, said, handlers)
  else await takeMessages(stream, frames, said, handlers)
}

/** Frames as they come; those of one piece follow each other at once. */
export async function * streamFrames ({ received }: PeerStream): Frames {
  const reader = new FrameReader()
  for await (const chunk of received) yield * reader.push(chunk)
}

async function takeMessages (stream: PeerStream, frames: Frames, said: Hello, handlers: TransportHandlers): Promise<void> {
  const tag = frameTag(said)
  for await (const body of frames) {
    const messages = decodeMessages(body, tag)
    if (messages.length === 0) stream.write(heardFrame())
    else await handlers.received(said.from.id, messages, stream.peer)
  }
}

async function takeSnapshot (stream: PeerStream, frames: Frames, said: Hello, handlers: TransportHandlers): Promise<void> {
  const offer = await frames.next()
  if (offer.done === true) return
  const manifest = decodeManifest(offer.value)
  if (manifest === undefined) throw new Error('a snapshot that cannot be read')
  const have = await handlers.snapshotOffered(said.from.id, manifest, stream.peer)
  stream.write(snapshotOffsetFrame(have))
  await handlers.snapshotArrives(said.from.id, manifest, upTo(frames, manifest.bytes - have))
  stream.write(snapshotDoneFrame())
  await frames.next() // ended by the other side, when it has read that
}
