import { addEntries } from '../adder/entries.ts'
import type { AddEntry } from '../adder/entries.ts'
import { untilGivenUp } from '../cluster/async/give-up.ts'
import { multipartBoundary, readMultipart } from '../cluster/api/kubo/multipart.ts'
import type { MultipartPart } from '../cluster/api/kubo/multipart.ts'
import type { Clock } from '../cluster/clock.ts'
import type { CommandCall } from './command.ts'

/** An upload in which nothing moves holds its daemon's pin lock, for which a GC waits; so it is ended. Waiting for us does not count. */
const stallTimeoutMs = 300_000

type Uploading = Pick<CommandCall, 'request' | 'signal'>

/** The parts of the request's body, pulled; not a byte is read before the first is asked for. Neither an error nor an early end closes the connection, which the answer needs. */
export async function * uploadedParts ({ request, signal }: Uploading, clock: Clock): AsyncGenerator<MultipartPart, void, undefined> {
  const bytes = request.body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
  yield * readMultipart(untilGivenUp(bytes, { signal, stall: { clock, timeoutMs: stallTimeoutMs, what: 'upload' } }), multipartBoundary(request.contentType) ?? '')
}

export function uploadedEntries (call: Uploading, clock: Clock): AsyncIterable<AddEntry> {
  return addEntries(uploadedParts(call, clock))
}

/** Files alone, as commands take them that have no use for a tree. @throws Error `refusal`, what the command says in Kubo to a directory */
export async function * uploadedFiles (call: Uploading, clock: Clock, refusal: string): AsyncGenerator<AsyncIterable<Uint8Array>, void, undefined> {
  for await (const { kind, content } of uploadedEntries(call, clock)) {
    if (kind === 'directory') throw new Error(refusal)
    yield content
  }
}
