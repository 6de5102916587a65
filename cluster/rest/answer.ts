import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import { restError } from './rest-error.ts'

/** What a handler hands back: one value, a stream of them as lines, or nothing (204). */
export type Answer =
  | { readonly kind: 'value', readonly value: unknown }
  | { readonly kind: 'lines', readonly lines: AsyncIterable<unknown>, readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'none' }

export const nothing: Answer = { kind: 'none' }
export const valueAnswer = (value: unknown): Answer => ({ kind: 'value', value })
export const linesAnswer = (lines: AsyncIterable<unknown>, headers?: Readonly<Record<string, string>>): Answer => ({ kind: 'lines', lines, ...headers !== undefined && { headers } })

const contentType = 'application/json'
const streamError = 'X-Stream-Error'

export async function sendAnswer (reply: FastifyReply, answer: Answer, signal: AbortSignal): Promise<void> {
  if (answer.kind === 'lines') return await sendLines(reply, answer, signal)
  reply.header('content-type', contentType)
  if (answer.kind === 'none') await reply.code(204).send()
  else await reply.code(200).send(jsonLine(answer.value))
}

export async function sendError (reply: FastifyReply, err: unknown): Promise<void> {
  const error = restError(err)
  await reply.code(error.code).header('content-type', contentType).send(jsonLine(error))
}

/** As bytes: to a text Fastify would add its charset. */
const jsonLine = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)

/**
 * One JSON object a line, at the client's pace. What fails before the first line is an answer with its status, what fails later stands
 * in the trailer; HTTP/1.0 has none, so there the connection is cut. No line at all is 204.
 *
 * @throws what the source throws before its first line
 */
async function sendLines (reply: FastifyReply, { lines, headers = {} }: Extract<Answer, { kind: 'lines' }>, signal: AbortSignal): Promise<void> {
  const source = lines[Symbol.asyncIterator]()
  const first = await source.next()
  reply.headers({ 'content-type': contentType, ...headers })
  if (first.done === true) {
    await reply.code(204).send() // an answer without a body cannot announce a trailer
    return
  }

  reply.hijack()
  const { raw } = reply
  const hasTrailer = reply.request.raw.httpVersion !== '1.0'
  raw.writeHead(200, { ...reply.getHeaders() as Record<string, string>, ...hasTrailer && { trailer: streamError } })
  let failure = ''
  try {
    for (let next: IteratorResult<unknown, unknown> = first; next.done !== true; next = await source.next()) {
      if (!raw.write(`${JSON.stringify(next.value)}\n`)) await once(raw, 'drain', { signal })
    }
  } catch (err) {
    failure = restError(err).message
  } finally {
    await source.return?.()
  }
  if (hasTrailer) raw.addTrailers({ [streamError]: failure.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ') })
  else if (failure !== '') raw.destroy() // HTTP/1.0 knows no other way to say that it was not all
  raw.end()
}
