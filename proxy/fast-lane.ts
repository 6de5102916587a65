import type { Socket } from 'node:net'
import { encodeGoJson } from '../cluster/api/kubo/go-json.ts'
import type { Logger } from '../cluster/log.ts'
import { AnswerReader } from './answer-reader.ts'
import { mendHead } from './mend-head.ts'
import { readPlainRequest } from './plain-request.ts'
import type { PlainRequest } from './plain-request.ts'
import { unreachableText } from './unreachable.ts'

/** What a client may send ahead while its answer is on the way; past it, it waits. */
const aheadBytesMax = 65_536
const connectTimeoutMs = 10_000
/** What is read from the daemon at once, into the same place each time. */
const readBytesMax = 262_144
/** An answer longer than this is a file and not a conversation. */
const fileBytesMin = 1 << 20
/** What a daemon that sends a file writes at once. */
const burstBytesMin = 16_384
/** For which a file's next bytes gather: one wake-up for many of the daemon's writes takes a quarter less of the processor, which the daemon and the client need. */
const gatherMs = 4
const nothing = Buffer.alloc(0)

export interface FastLaneParts {
  readonly daemon: {
    /** For the `Host` header. */
    readonly host: string
    /** For messages. */
    readonly address: string
    /** Undefined behind a unix socket, whose buffer is too small to gather in. */
    readonly port: number | undefined
    connect (): Socket
    /** @see DaemonLink */
    connectReading (buffer: Buffer, read: (bytes: Buffer) => boolean): Socket | undefined
  }
  readonly log: Logger
  /** Whether the daemon alone answers this target. Always says the same of the same. */
  isForDaemon (target: string): boolean
  /** Takes over a connection whose next request is not for this lane; what was read of it is unread again, its head mended. */
  handOver (client: Socket): void
}

interface Known { readonly bytes: Buffer, readonly request: PlainRequest }

/**
 * Carries plain requests of one client to the daemon and the answers back as bytes, over a connection to the daemon that is this
 * client's own: between the two sockets there is nothing that could change, delay or reframe an answer. The first request that is
 * not plain takes the client to node's HTTP server, for good.
 */
export class FastLane {
  readonly #client: Socket
  readonly #parts: FastLaneParts
  #upstream: Socket | undefined
  /** Reads the answer that is under way. */
  #reader: AnswerReader | undefined
  #hasBegun = false
  /** Of the answer that is under way. */
  #answerBytes = 0
  /** Clients repeat themselves: the same bytes are the same request. */
  #known: Known | undefined
  #ahead: Buffer[] = []
  #aheadBytes = 0
  /** Whether the client has closed its side, or said that it wants no further answer. */
  #isLast = false
  readonly #onData = (bytes: Buffer): void => { this.#received(bytes) }
  readonly #onEnd = (): void => { this.#ended() }
  readonly #onGone = (): void => { this.#upstream?.destroy() }

  constructor (client: Socket, parts: FastLaneParts) {
    this.#client = client
    this.#parts = parts
    client.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onGone).on('error', this.#onGone)
  }

  get isIdle (): boolean { return this.#reader === undefined }

  #received (bytes: Buffer): void {
    if (this.#reader === undefined) {
      this.#begin(bytes)
      return
    }
    this.#ahead.push(bytes)
    this.#aheadBytes += bytes.length
    if (this.#aheadBytes > aheadBytesMax) this.#client.pause()
  }

  #begin (bytes: Buffer): void {
    if (this.#known?.bytes.equals(bytes) !== true) {
      const request = readPlainRequest(bytes, this.#parts.daemon.host)
      if (request === undefined || !this.#parts.isForDaemon(request.target)) {
        this.#leave(bytes)
        return
      }
      this.#known = { bytes, request }
    }
    const { head, closes } = this.#known.request
    this.#isLast ||= closes
    // The daemon may have closed its side, and the news of it be on its way.
    if (this.#upstream?.writable !== true) this.#upstream = this.#connect()
    this.#upstream.write(head)
    this.#reader = new AnswerReader()
    this.#hasBegun = false
    this.#answerBytes = 0
  }

  #leave (bytes: Buffer): void {
    const client = this.#client
    client.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onGone).off('error', this.#onGone)
    this.#upstream?.destroy()
    client.pause()
    client.unshift(mendHead(bytes))
    this.#parts.handOver(client)
    client.resume()
  }

  #connect (): Socket {
    const { daemon } = this.#parts
    const reading = daemon.connectReading(Buffer.allocUnsafe(readBytesMax), bytes => this.#answered(reading!, bytes))
    const upstream = (reading ?? daemon.connect()).setNoDelay(true)
    upstream.setTimeout(connectTimeoutMs, () => upstream.destroy(new Error('connect timed out')))
    upstream.once('connect', () => upstream.setTimeout(0))
    if (reading === undefined) upstream.on('data', (bytes: Buffer) => { if (!this.#answered(upstream, bytes)) upstream.pause() })
    upstream.once('error', error => { if (this.#upstream === upstream) this.#broken(error) })
    upstream.once('close', () => { if (this.#upstream === upstream) this.#closed() })
    return upstream
  }

  /** @returns whether to read on at once: only when nothing of `bytes` still waits for the client, as their place is used again */
  #answered (upstream: Socket, bytes: Buffer): boolean {
    const reader = this.#reader
    if (reader === undefined) {
      upstream.destroy() // nobody asked: what comes now belongs to no request
      return false
    }
    this.#hasBegun = true
    // Looked through when it is on its way. Whoever sends more than an answer, or none, is handed on as it is, and that is the connection's end.
    const client = this.#client
    client.write(bytes)
    const isWaiting = client.writableLength > 0
    if (isWaiting) client.write(nothing, () => { upstream.resume() }) // when that has gone, so has all before it
    let end: number
    try {
      end = reader.push(bytes)
    } catch (err) {
      upstream.destroy(err as Error)
      return false
    }
    if (end >= 0) this.#finish(upstream, reader.keepsConnection && end === bytes.length)
    this.#answerBytes += bytes.length
    if (isWaiting) return false
    if (end >= 0 || !this.#isBurstOfFile(bytes)) return true
    setTimeout(() => { upstream.resume() }, gatherMs)
    return false
  }

  /** And there is no more of it to be read yet. */
  #isBurstOfFile ({ length }: Buffer): boolean {
    return this.#answerBytes > fileBytesMin && length >= burstBytesMin && length < readBytesMax && this.#parts.daemon.port !== undefined
  }

  #finish (upstream: Socket, keeps: boolean): void {
    this.#reader = undefined
    if (!keeps || this.#isLast) {
      upstream.destroy()
      this.#client.end()
    } else this.#next()
  }

  /** What was sent ahead is the beginning of the next request. */
  #next (): void {
    if (this.#aheadBytes === 0) return
    const bytes = Buffer.concat(this.#ahead.splice(0))
    this.#aheadBytes = 0
    this.#client.resume()
    this.#begin(bytes)
  }

  /** The client has closed its side: so does its connection to the daemon, which decides what that means. */
  #ended (): void {
    this.#isLast = true
    if (this.#reader === undefined) this.#client.end()
    else this.#upstream?.end()
  }

  #closed (): void {
    if (this.#reader?.endsWithConnection === true) {
      this.#reader = undefined
      this.#client.end()
    } else this.#broken(new Error('other side closed'))
    this.#upstream = undefined
  }

  #broken (error: Error): void {
    if (this.#reader === undefined) return
    this.#reader = undefined
    if (this.#client.destroyed) return
    const { log, daemon: { address } } = this.#parts
    log.warn(this.#hasBegun ? 'the daemon broke off an answer' : 'the daemon cannot be reached', { address, error })
    if (this.#hasBegun) this.#client.destroy() // an answer that was cut must look like one
    else this.#refuse(unreachableText(address, error))
  }

  #refuse (message: string): void {
    const body = `${encodeGoJson({ Message: message, Code: 0, Type: 'error' })}\n`
    this.#client.end(`HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\nDate: ${new Date().toUTCString()}\r\n\r\n${body}`)
  }
}
