import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as immediate } from 'node:timers/promises'
import { UploadError } from '../adder/upload-error.ts'
import type { AbortOptions } from '../cluster/ports.ts'
import { joinSignals } from '../cluster/async/join-signals.ts'
import type { Clock } from '../cluster/clock.ts'
import { cidTextFor } from '../cluster/api/kubo/cid-text.ts'
import { parseGoDurationMs } from '../cluster/api/kubo/go-values.ts'
import { MultipartError, multipartBoundary } from '../cluster/api/kubo/multipart.ts'
import { KuboParseError, missingArgument } from '../cluster/api/kubo/request.ts'
import type { ParsedRequest } from '../cluster/api/kubo/request.ts'
import type { Logger } from '../cluster/log.ts'
import { readBodyArguments } from './body-arguments.ts'
import { clientSignal } from './client-signal.ts'
import { clientSink } from './client-sink.ts'
import type { ClientSink } from './client-sink.ts'
import { commandHead, refusalHead } from './command-head.ts'
import { openReply } from './command-reply.ts'
import type { OpenReply } from './command-reply.ts'
import { DeadlineExceededError } from './command.ts'
import type { CommandCall, CommandRequest, KuboCommand } from './command.ts'
import type { Encoding } from './encodings.ts'
import { hasBody } from './passthrough.ts'
import { wantsClose } from './headers.ts'
import type { RawHeaders } from './headers.ts'

export interface AdmittedCall extends AbortOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly command: KuboCommand
  readonly parsed: ParsedRequest
  readonly path: string
  readonly rawQuery: string
  /** The daemon's own headers for this caller. */
  readonly own: RawHeaders
  /** The client waits to be told to send its body (`Expect: 100-continue`). */
  readonly awaitsContinue: boolean
}

/** Runs one command for a caller that the daemon lets in, and sees its answer to the end. */
export async function runCommand (call: AdmittedCall, { clock, log }: { readonly clock: Clock, readonly log: Logger }): Promise<void> {
  const { request, response, command, parsed, own, signal } = call
  const body = openBody(call)
  const closes = wantsClose(request.rawHeaders)
  const sink = clientSink(request, response)
  const encoding = parsed.options.encoding as Encoding
  const reply = openReply({
    command,
    encoding,
    options: parsed.options,
    sink,
    signal,
    bodySettled: body.settled,
    head: (kind, contentType) => commandHead({ own, kind, contentType, bodyLeft: body.isLeft(), clientCloses: closes, version: request.httpVersion, nowMs: clock.now() })
  })

  using timeout = deadlineOf(clock, parsed.options.timeout)
  using patience = joinSignals(clientSignal(response, { isRead: command.isRead === true }), signal)
  using given = joinSignals(patience.signal, ...timeout.signals)
  const gone = given.signal
  try {
    const args = [...parsed.args, ...await bodyArguments(command, request, body)]
    requireArguments(command, args)
    await command.run({
      options: parsed.options, args, signal: gone, patience: patience.signal, timeLeft: timeout.left, request: body.view, reply, cidText: cidTextFor(command.ignoresCidBase === true ? {} : parsed.options)
    } satisfies CommandCall)
    await reply.end()
  } catch (err) {
    if (err instanceof KuboParseError && !reply.started) await refuse(call, err, { body, sink, clock })
    else await failed(reply, err, gone, { response, log, path: command.path })
  }
}

/** Says what Kubo says when a request is refused before its command runs. */
async function refuse ({ request, own, signal }: AdmittedCall, { message }: Error, { body, sink, clock }: { readonly body: OpenBody, readonly sink: ClientSink, readonly clock: Clock }): Promise<void> {
  await body.settled()
  const text = `${message}\n`
  sink.head(400, refusalHead({ own, bodyLeft: body.isLeft(), clientCloses: wantsClose(request.rawHeaders), version: request.httpVersion, length: Buffer.byteLength(text), nowMs: clock.now() }))
  await sink.write(text, { signal })
  sink.end()
}

async function failed (reply: OpenReply, err: unknown, gone: AbortSignal, { response, log, path }: { response: ServerResponse, log: Logger, path: string }): Promise<void> {
  const isDeadline = gone.aborted && gone.reason instanceof DeadlineExceededError
  if (gone.aborted && !isDeadline && response.destroyed) return
  log.info('command failed', { path, error: err })
  // What was given up because of the deadline says so in Kubo's words, however the parts below put it.
  await reply.fail(isDeadline && err === gone.reason ? gone.reason : err)
}

interface OpenBody {
  readonly view: CommandRequest
  /** Whether bytes of the request are on their way still: Go then closes the connection. */
  isLeft (): boolean
  /** The parser says that a body is whole a moment after it gave its last bytes. */
  settled (): Promise<void>
}

function openBody ({ request, response, path, rawQuery, awaitsContinue }: AdmittedCall): OpenBody {
  let isOpened = false
  const view: CommandRequest = {
    path,
    rawQuery,
    rawHeaders: request.rawHeaders,
    contentType: request.headers['content-type'] ?? '',
    get body () {
      if (!isOpened && awaitsContinue) response.writeContinue()
      isOpened = true
      return request
    }
  }
  return {
    view,
    isLeft: () => hasBody(request) && !(isOpened && request.complete),
    async settled () { if (isOpened && !request.complete) await immediate() }
  }
}

async function bodyArguments (command: KuboCommand, request: IncomingMessage, body: OpenBody): Promise<readonly string[]> {
  const boundary = multipartBoundary(request.headers['content-type'] ?? '')
  if (boundary === undefined || !command.args.some(({ kind, stdin }) => kind === 'string' && stdin)) return []
  try {
    return await readBodyArguments(body.view.body.iterator({ destroyOnReturn: false }), boundary)
  } catch (err) {
    // Kubo looks for the first part while it parses; a part that is cut it finds out later.
    throw err instanceof UploadError || (err instanceof MultipartError && !err.cut) ? new KuboParseError(err.message) : err
  } finally {
    request.resume()
  }
}

function requireArguments (command: KuboCommand, args: readonly string[]): void {
  const missing = command.args.filter(({ kind, required }) => kind === 'string' && required)[args.length]
  if (missing !== undefined) throw missingArgument(missing)
}

/** `timeout=`, already known to be a duration. */
function deadlineOf (clock: Clock, timeout: string | undefined): CallDeadline {
  const delayMs = timeout === undefined ? Infinity : Math.max(0, parseGoDurationMs(timeout)!)
  if (delayMs > timerMsMax) return { signals: [], left: () => timeout, [Symbol.dispose] () {} }
  if (delayMs < shortestMs) return { signals: [AbortSignal.abort(new DeadlineExceededError())], left: () => '0ms', [Symbol.dispose] () {} }
  const endMs = clock.now() + delayMs
  const controller = new AbortController()
  const timer = clock.after(delayMs, () => controller.abort(new DeadlineExceededError()))
  return {
    signals: [controller.signal],
    left: () => `${Math.max(0, Math.ceil(endMs - clock.now()))}ms`,
    [Symbol.dispose]: () => timer[Symbol.dispose]()
  }
}

interface CallDeadline extends Disposable { readonly signals: readonly AbortSignal[], readonly left: () => string | undefined }

/** A timeout below a microsecond is over before Kubo begins. */
const shortestMs = 0.001
/** Node's timers fire at once when they are set any later than this, 24 days. */
const timerMsMax = 2 ** 31 - 1
