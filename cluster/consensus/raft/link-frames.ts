/** What two peers say over a link, whatever carries its bytes: a hello and its answer, messages, a snapshot with its answers, and now and then a question how long an answer takes. */
import { ByteReader, ByteWriter } from './bytes.ts'
import { readMessage, writeMessage } from './codec.ts'
import type { Message } from './core/types.ts'
import { encodeFrame } from './frame.ts'
import { refusalText } from './handshake.ts'
import type { Refusal } from './handshake.ts'

export type Frames = AsyncGenerator<Uint8Array, void, undefined>

const welcomeKind = 1
const refusedKind = 2
const snapshotOffsetKind = 3
const snapshotDoneKind = 4
const heardKind = 5

export const welcomeFrame = (): Uint8Array => encodeFrame(Uint8Array.of(welcomeKind))
export const refusedFrame = (why: Refusal): Uint8Array => encodeFrame(new ByteWriter().u8(refusedKind).text(why).done())
export const snapshotOffsetFrame = (have: number): Uint8Array => encodeFrame(new ByteWriter().u8(snapshotOffsetKind).varint(have).done())
export const snapshotDoneFrame = (): Uint8Array => encodeFrame(Uint8Array.of(snapshotDoneKind))
/** The answer to a frame without messages. */
export const heardFrame = (): Uint8Array => encodeFrame(Uint8Array.of(heardKind))

/** What whoever listens says back on a lane of messages. Kinds that are not known mean nothing. */
export type LaneAnswer = { readonly kind: 'welcome' | 'heard' | 'unknown' } | { readonly kind: 'refused', readonly why: string }

export function decodeLaneAnswer (body: Uint8Array): LaneAnswer {
  const from = new ByteReader(body)
  switch (from.u8()) {
    case welcomeKind: return { kind: 'welcome' }
    case refusedKind: return { kind: 'refused', why: refusalText[from.text() as Refusal] }
    case heardKind: return { kind: 'heard' }
    default: return { kind: 'unknown' }
  }
}

export function encodeMessages (messages: readonly Message[], tag: number): Uint8Array {
  const to = new ByteWriter(256 + messages.reduce((sum, { entries }) => sum + entries.reduce((bytes, { data }) => bytes + data.length + 24, 64), 0))
  to.u32(tag).varint(messages.length)
  for (const m of messages) writeMessage(to, m)
  return to.done()
}

/** @throws Error when the frame is of another link than the one that was agreed on */
export function decodeMessages (body: Uint8Array, tag: number): readonly Message[] {
  const from = new ByteReader(body)
  if (from.u32() !== tag) throw new Error('a frame of somebody else')
  return Array.from({ length: from.varint() }, () => readMessage(from))
}

/**
 * The sending half of a snapshot, behind hello and manifest: waits to be let in and told where to go on, sends the pieces, waits until they are durable.
 *
 * @param write resolves when there is room for more
 */
export async function sendPieces (frames: Frames, read: (from: number) => AsyncIterable<Uint8Array>, write: (frame: Uint8Array) => Promise<void>): Promise<void> {
  await expect(frames, welcomeKind)
  const from = (await expect(frames, snapshotOffsetKind)).varint()
  for await (const piece of read(from)) await write(encodeFrame(piece))
  await expect(frames, snapshotDoneKind)
}

/** Frames until so many bytes have come; ends early only if the connection does. */
export async function * upTo (frames: Frames, bytes: number): Frames {
  for (let left = bytes; left > 0;) {
    const frame = await frames.next()
    if (frame.done === true) return
    left -= frame.value.length
    yield frame.value
  }
}

async function expect (frames: Frames, kind: number): Promise<ByteReader> {
  const frame = await frames.next()
  if (frame.done === true) throw new Error('the other side has gone')
  const body = new ByteReader(frame.value)
  if (body.u8() !== kind) throw new Error('the other side refuses')
  return body
}
