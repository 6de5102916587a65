import type { FastifyReply } from 'fastify'
import type { Clock } from '../clock.ts'
import { isHttp2 } from './http-version.ts'
import { LineWriter } from './line-writer.ts'
import { restError } from './rest-error.ts'
import type { RestError } from './rest-error.ts'

/** What a handler hands back: one value, a stream of them as lines, or nothing (204). */
export type Answer =
  | { readonly kind: 'value', readonly value: unknown }
  | { readonly kind: 'lines', readonly lines: AsyncIterable<unknown>, readonly headers?: Readonly<Record<string, string>>, readonly failure?: 'trailer' | 'line' }
  | { readonly kind: 'none' }

export const nothing: Answer = { kind: 'none' }
export const valueAnswer = (value: unknown): Answer => ({ kind: 'value', value })
export const linesAnswer = (lines: AsyncIterable<unknown>, headers?: Readonly<Record<string, string>>): Answer => ({ kind: 'lines', lines, ...headers !== undefined && { headers } })

const contentType = 'application/json'
const streamError = 'X-Stream-Error'

interface Sending { readonly signal: AbortSignal, readonly clock: Clock }

export async function sendAnswer (reply: FastifyReply, answer: Answer, sending: Sending): Promise<void> {
  if (answer.kind === 'lines') return await sendLines(reply, answer, sending)
  reply.header('content-type', contentType)
  if (answer.kind === 'none') await reply.code(204).send()
  else await reply.code(200).send(jsonLine(answer.value))
}

export async function sendError (reply: FastifyReply, err: unknown): Promise<void> {
  const error = restError(err)
  await reply.code(error.code).header('content-type', contentType).send(jsonLine(error))
}

/** As bytes: to a text Fastify would add its charset. */
const jsonLine = (value: unknown): Buffer => Buffer.from(textLine(value))
const textLine = (value: unknown): string => `${JSON.stringify(value)}\n`

/**
 * One JSON object a line, at the client's pace. What fails before the first line is an answer with its status, what fails later stands
 * in the trailer, and in a last line if that was asked for; HTTP/1.0 has no trailers, so there the connection is cut. No line at all is 204.
 *
 * @throws what the source throws before its first line
 */
async function sendLines (reply: FastifyReply, { lines, headers = {}, failure: failureIn }: Extract<Answer, { kind: 'lines' }>, { signal, clock }: Sending): Promise<void> {
  const source = lines[Symbol.asyncIterator]()
  const first = await source.next()
  const { connection, ...others } = headers
  reply.headers({ 'content-type': contentType, ...others, ...connection !== undefined && !isHttp2(reply.request.raw) && { connection } })
  if (first.done === true) {
    await reply.code(204).send() // an answer without a body cannot announce a trailer
    return
  }

  reply.hijack()
  const { raw } = reply
  const hasTrailer = reply.request.raw.httpVersion !== '1.0'
  raw.writeHead(200, { ...reply.getHeaders() as Record<string, string>, ...hasTrailer && { trailer: streamError } })
  using writer = new LineWriter(raw, clock)
  let failure: RestError | undefined
  try {
    for (let next: IteratorResult<unknown, unknown> = first; next.done !== true; next = await source.next()) await writer.write(textLine(next.value), signal)
  } catch (err) {
    failure = restError(err)
    if (failureIn === 'line') await writer.write(textLine(failure), signal).catch(() => {}) // whoever has left is told nothing
  } finally {
    await source.return?.()
  }
  writer.flush()
  if (hasTrailer) raw.addTrailers({ [streamError]: (failure?.message ?? '').replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ') })
  else if (failure !== undefined) raw.destroy() // HTTP/1.0 knows no other way to say that it was not all
  raw.end()
}
