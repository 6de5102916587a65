import type { HeaderMap, Response } from '../http/response.ts'
import type { Request } from '../http/server.ts'

/** Of an upload that nobody reads Go takes in this much before it answers, so that the client gets to read the answer. */
const unreadBytesMax = 256 * 1024

/** An answer from before a command runs, as Go's `http.Error` gives it. */
export async function answerText (request: Request, response: Response, status: number, text: string, headers: Iterable<readonly [string, readonly string[]]> = []): Promise<void> {
  const all = new Map([...headers, ['Content-Type', ['text/plain; charset=utf-8']], ['X-Content-Type-Options', ['nosniff']]])
  await answerShort(request, response, status, all, `${text}\n`)
}

/** A short answer that has its length; held back until a short upload has come in, ahead of a long one. */
export async function answerShort (request: Request, response: Response, status: number, headers: HeaderMap, text = '', guessedType?: string): Promise<void> {
  const isAskedToGoOn = request.headers.some(([name]) => name === 'expect')
  const { body } = request
  if (!body.isEnded) response.closes ||= isAskedToGoOn || body.remaining > unreadBytesMax && body.remaining !== Infinity || !await body.discard(unreadBytesMax)
  const bytes = Buffer.from(text)
  const length = status === 204 || headers.has('Content-Length') ? 'none' : bytes.length
  response.head({ status, headers, length, ...guessedType === undefined ? {} : { guessedType } })
  if (status !== 204) await response.write(bytes)
}
