/** One HTTP/1 exchange over a raw socket, with the pauses and breaks that a recording asks for. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ResponseParser } from './response-parser.ts'
import type { RawResponse } from './response-parser.ts'

/** Below this, head and body go in one write: what the server has seen when it answers is then no matter of luck. */
const oneWriteBytesMax = 48 * 1024
const chunkBytes = 16 * 1024
const gateMs = 900
const afterErrorMs = 50
const ticksPerWait = 20

export interface Exchange {
  readonly host: string
  readonly port: number
  readonly head: Buffer
  readonly body: Buffer
  readonly isHead: boolean
  readonly isChunked: boolean
  readonly expectsContinue: boolean
  /** Send so many body bytes, then nothing for a while, then the rest. */
  readonly gateAfter: number | undefined
  /** Send so many body bytes, then end the sending side. */
  readonly closeAfter: number | undefined
  readonly endlessMs: number | undefined
  readonly timeoutMs: number
}

export async function exchange (asked: Exchange): Promise<RawResponse> {
  const parser = new ResponseParser(asked.isHead)
  const startMs = performance.now()
  const done = Promise.withResolvers<undefined>()
  const finish = (): void => { done.resolve(undefined) }
  using _deadline = after(asked.timeoutMs, () => { parser.response.timedOut = true; finish() })
  using _enough = after(asked.endlessMs, () => { parser.response.endless = true; finish() })
  const socket = connect({ host: asked.host, port: asked.port, allowHalfOpen: true, noDelay: true })
  socket.on('connect', () => { write(socket, asked, parser).catch(done.reject) })
  socket.on('data', bytes => {
    try {
      parser.response.firstByteMs ??= performance.now() - startMs
      parser.take(bytes as Buffer)
      if (parser.isEnded) finish()
    } catch (err) {
      done.reject(err)
    }
  })
  socket.on('end', () => {
    parser.response.truncated ||= !parser.endsWithConnection
    finish()
  })
  socket.on('error', err => {
    if (parser.response.status === 0) Object.assign(parser.response, { reason: err.message })
    parser.response.truncated ||= !parser.isEnded
    after(afterErrorMs, finish)
  })

  try {
    await done.promise
  } finally {
    socket.destroy()
  }
  const response = parser.response
  response.body = parser.bodySoFar()
  if (asked.gateAfter !== undefined) response.beforeRest ??= { head: true, complete: true, body: response.body }
  return response
}

async function write (socket: Socket, asked: Exchange, parser: ResponseParser): Promise<void> {
  const { head, body, isChunked, expectsContinue, gateAfter, closeAfter } = asked
  const pieces = (bytes: Buffer): Buffer[] => isChunked ? chunks(bytes) : [bytes]
  const end = isChunked ? [Buffer.from('0\r\n\r\n')] : []
  if (!expectsContinue && gateAfter === undefined && closeAfter === undefined && head.length + body.length < oneWriteBytesMax) {
    await writeAll(socket, [Buffer.concat([head, ...pieces(body), ...end])])
    return
  }

  await writeAll(socket, [head])
  if (expectsContinue && !await parser.continued) return
  if (closeAfter !== undefined) {
    await writeAll(socket, pieces(body.subarray(0, closeAfter)))
    socket.end()
    return
  }
  if (gateAfter !== undefined) {
    await writeAll(socket, pieces(body.subarray(0, gateAfter)))
    await sleep(gateMs) // the recording's own pause: that nothing comes while nothing is sent is what it is about
    if (parser.isEnded) return
    parser.response.beforeRest = { head: parser.response.status !== 0, body: parser.bodySoFar() }
  }
  await writeAll(socket, [...pieces(body.subarray(gateAfter ?? 0)), ...end])
}

async function writeAll (socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return
    await new Promise<void>(resolve => { socket.write(piece, () => resolve()) })
  }
}

function chunks (bytes: Buffer): Buffer[] {
  const starts = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) => i * chunkBytes)
  return starts.flatMap(start => {
    const piece = bytes.subarray(start, start + chunkBytes)
    return [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]
  })
}

/**
 * Counts only time in which this process got to run: on a busy machine a plain timer would fire before the answer that has long come
 * in is read.
 */
function after (ms: number | undefined, task: () => void): Disposable {
  let ticks = 0
  const timer = ms === undefined ? undefined : setInterval(() => {
    if (++ticks < ticksPerWait) return
    clearInterval(timer)
    task()
  }, ms / ticksPerWait)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
