import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import type { Clock } from '../cluster/clock.ts'
import { headerOf, toClientHeaders, toDaemonHeaders, wantsClose } from './headers.ts'
import { flushHead, pathOf, writeRawHead } from './passthrough.ts'
import type { PassthroughComponents } from './passthrough.ts'
import { answerUnreachable } from './unreachable.ts'

/** For a client that wants its connection closed Go answers an upload that it refuses at once, be it small. */
const momentMs = 20
/** Of an upload that is longer Go waits for none before it answers. */
const awaitedBytesMax = 256 << 10

export interface PassUploadComponents extends PassthroughComponents { readonly clock: Clock }

export interface PassUploadOptions {
  /** The client waits to be told to send its body. */
  readonly expects: boolean
  /** In place of what stands in the request line. */
  readonly target: string | undefined
}

/**
 * An upload that the daemon answers goes over node:http: undici sends a head only with the first byte of its body, and refuses `Expect`. Here the
 * daemon has the head at once and may refuse it; the body follows as it comes, though it be empty. With `Expect: 100-continue` it follows when the
 * daemon asks for it. An answer that begins before the upload has ended goes out, and the upload goes on.
 */
export function passUpload (request: IncomingMessage, response: ServerResponse, parts: PassUploadComponents, options: PassUploadOptions): void {
  if (options.expects || !mayBeAnsweredSooner(request)) {
    send(request, response, parts, { ...options, closes: false })
    return
  }
  const begin = (closes: boolean): void => {
    request.off('readable', came).off('close', came)
    moment[Symbol.dispose]()
    send(request, response, parts, { ...options, closes })
  }
  const came = (): void => { begin(false) }
  const moment = parts.clock.after(momentMs, () => { begin(true) })
  request.once('readable', came).once('close', came)
}

/**
 * Whether the daemon would wait for the body of what it refuses unless it is told to close the connection. It is told so only for a client that sends a
 * head and waits: on a closed connection the answer to one that goes on can get lost.
 */
function mayBeAnsweredSooner ({ rawHeaders, headers }: IncomingMessage): boolean {
  return wantsClose(rawHeaders) && !(Number(headers['content-length']) > awaitedBytesMax)
}

interface SendOptions extends PassUploadOptions { readonly closes: boolean }

function send (request: IncomingMessage, response: ServerResponse, { daemon, origins, log }: PassthroughComponents, { expects, closes, target = request.url! }: SendOptions): void {
  if (response.destroyed) return
  const headers = ['Host', daemon.host, ...toDaemonHeaders(request.rawHeaders, origins()), ...expects ? ['Expect', request.headers.expect!] : [], 'Connection', closes ? 'close' : 'keep-alive']
  if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked')
  const upstream = daemon.request({ method: request.method!, path: pathOf(target), headers })
  let isAwaited = expects
  let hasAnswered = false

  const pour = (): void => {
    isAwaited = false
    request.pipe(upstream)
  }
  /** The client lives to read its answer. */
  const drop = (): void => {
    request.unpipe(upstream)
    request.resume()
  }
  /** The client has closed its side: the daemon says what it makes of half an upload. */
  const cut = (): void => {
    if (request.complete) return
    flushHead(upstream)
    if (upstream.socket !== null) upstream.socket.end()
    else upstream.once('socket', socket => setImmediate(() => socket.end())) // behind the head
  }

  upstream.once('continue', () => {
    response.writeContinue()
    pour()
  })
  upstream.once('response', answer => {
    hasAnswered = true
    if (isAwaited) drop() // nobody asked for it
    const asked = { closing: wantsClose(request.rawHeaders), origin: headerOf(request.rawHeaders, 'origin'), origins: origins() }
    writeRawHead(response, answer.statusCode!, answer.statusMessage ?? '', toClientHeaders(answer.rawHeaders, asked))
    // Where a body came in the same read, both leave together.
    process.nextTick(() => { if (answer.readableLength === 0 && !response.destroyed) flushHead(response) })
    answer.once('end', () => {
      const raw = answer.rawTrailers
      if (raw.length > 0) response.addTrailers(Array.from({ length: raw.length / 2 }, (_, i): [string, string] => [raw[2 * i]!, raw[2 * i + 1]!]))
      if (!upstream.writableFinished) upstream.destroy() // the daemon has enough
    })
    pipeline(answer, response, error => {
      if (error == null) return
      if (!response.destroyed) log.warn('the daemon broke off an answer', { error })
      response.destroy()
    })
  })
  upstream.on('error', error => {
    if (hasAnswered || response.destroyed) return
    if (request.closed && !request.complete) {
      response.destroy() // there was half an upload, and the daemon says nothing of it
      return
    }
    log.warn('the daemon cannot be reached', { address: daemon.address, error })
    answerUnreachable(response, daemon.address, error)
  })
  upstream.once('close', drop)
  response.once('close', () => { if (!response.writableFinished) upstream.destroy() })
  request.on('error', () => {})
  if (request.closed) cut() // while the daemon was asked about its caller
  else request.once('close', cut)

  if (!expects) pour()
  // What came with the head goes with it.
  setImmediate(() => { if (!request.readableDidRead && !upstream.writableEnded && !upstream.destroyed) flushHead(upstream) })
}
