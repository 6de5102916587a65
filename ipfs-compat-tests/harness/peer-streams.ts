import type { PeerStream } from '../../cluster/peer-ports.ts'

/** Sends back what comes, until the other side ends. */
export async function echo (stream: PeerStream): Promise<void> {
  try {
    for await (const bytes of stream.received) stream.write(bytes)
  } catch {} // the test is over
}

/** @throws Error when the stream ends before anything came */
export async function first (stream: PeerStream): Promise<Uint8Array> {
  for await (const bytes of stream.received) return bytes
  throw new Error('ended')
}
