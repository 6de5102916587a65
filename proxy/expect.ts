import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { writeRawHead } from './passthrough.ts'
import type { PassthroughComponents } from './passthrough.ts'
import { headerOf, toClientHeaders, toDaemonHeaders, wantsClose } from './headers.ts'
import { answerUnreachable } from './unreachable.ts'

/**
 * A request with `Expect: 100-continue` goes over node:http, since undici refuses the header: the daemon's `100 Continue` is handed
 * on when it comes, or its early refusal instead of it.
 */
export function passWithExpect (request: IncomingMessage, response: ServerResponse, { daemon, origins, log }: PassthroughComponents, target = request.url!): void {
  const headers = ['Host', request.headers.host ?? 'localhost', ...toDaemonHeaders(request.rawHeaders, origins()), 'Expect', request.headers.expect!, 'Connection', 'keep-alive']
  if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked')
  const upstream = daemon.request({ method: request.method!, path: target, headers, agent: false })
  upstream.flushHeaders()
  let answered = false

  upstream.once('continue', () => {
    response.writeContinue()
    request.pipe(upstream)
  })
  upstream.once('response', answer => {
    answered = true
    request.unpipe(upstream)
    request.resume()
    const asked = { closing: wantsClose(request.rawHeaders), origin: headerOf(request.rawHeaders, 'origin'), origins: origins() }
    writeRawHead(response, answer.statusCode!, answer.statusMessage ?? '', toClientHeaders(answer.rawHeaders, asked))
    response.flushHeaders()
    answer.once('end', () => {
      const raw = answer.rawTrailers
      if (raw.length > 0) response.addTrailers(Array.from({ length: raw.length / 2 }, (_, i): [string, string] => [raw[2 * i]!, raw[2 * i + 1]!]))
    })
    pipeline(answer, response, error => { if (error != null) response.destroy() })
  })
  upstream.once('error', error => {
    if (answered || response.destroyed) return
    log.warn('the daemon cannot be reached', { address: daemon.address, error })
    answerUnreachable(response, daemon.address, error)
  })
  response.once('close', () => { if (!response.writableFinished) upstream.destroy() })
  const cut = (): void => { if (!request.complete && !answered) upstream.destroy() }
  if (request.closed) cut()
  else request.once('close', cut)
}
