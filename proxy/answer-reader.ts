import { headBytesMax } from './daemon-link.ts'

const lineBytesMax = 4_096

/**
 * Finds where an HTTP/1.1 answer ends, in bytes that are handed on as they are: nothing is copied, joined or taken apart but the
 * head, the chunk sizes and the trailers.
 *
 * @see RFC 9112 §6.3, for an answer to a request that was neither HEAD nor CONNECT
 */
export class AnswerReader {
  /** Whether the connection it came over can be used again; known once it has ended. */
  keepsConnection = true
  #phase: 'head' | 'length' | 'size' | 'chunk' | 'trailers' | 'close' | 'ended' = 'head'
  /** Of the head, a size line or the trailers, what came with earlier reads. */
  #text = ''
  #bytesLeft = 0

  /** Whether an end of the connection is the end of the answer. */
  get endsWithConnection (): boolean { return this.#phase === 'close' }
  get #hasEnded (): boolean { return this.#phase === 'ended' }

  /**
   * @returns the index behind the answer's last byte, or -1 while it goes on
   * @throws Error when this is no HTTP/1.1 answer, or its head, a line or its trailers are beyond all bounds
   */
  push (bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && !this.#hasEnded) at = this.#step(bytes, at)
    return this.#hasEnded ? at : -1
  }

  #step (bytes: Buffer, at: number): number {
    switch (this.#phase) {
      case 'head': return this.#take(bytes, at, '\r\n\r\n', headBytesMax, text => this.#readHead(text))
      case 'size': return this.#take(bytes, at, '\r\n', lineBytesMax, text => this.#readSize(text))
      case 'trailers': return this.#take(bytes, at, '\r\n', headBytesMax, text => { if (text === '\r\n') this.#phase = 'ended' })
      case 'length': return this.#skip(bytes, at, 'ended')
      case 'chunk': return this.#skip(bytes, at, 'size')
      default: return bytes.length
    }
  }

  /** Gathers text up to `end`, which may come in pieces. */
  #take (bytes: Buffer, at: number, end: string, bytesMax: number, read: (text: string) => void): number {
    const held = this.#text
    const found = held === '' ? bytes.indexOf(end, at, 'latin1') : -1
    if (found >= 0) {
      read(bytes.toString('latin1', at, found + end.length))
      return found + end.length
    }
    const text = held + bytes.toString('latin1', at, Math.min(bytes.length, at + bytesMax + end.length - held.length))
    const endsAt = text.indexOf(end, Math.max(0, held.length - end.length))
    if (endsAt < 0) {
      if (text.length >= bytesMax) throw new Error('the head, a line or the trailers of the answer do not end')
      this.#text = text
      return bytes.length
    }
    this.#text = ''
    read(text.slice(0, endsAt + end.length))
    return at + endsAt + end.length - held.length
  }

  #skip (bytes: Buffer, at: number, then: 'ended' | 'size'): number {
    const taken = Math.min(this.#bytesLeft, bytes.length - at)
    this.#bytesLeft -= taken
    if (this.#bytesLeft === 0) this.#phase = then
    return at + taken
  }

  #readHead (head: string): void {
    const status = /^HTTP\/1\.([01]) (\d{3})[ \r]/.exec(head)
    if (status === null) throw new Error('the answer is not HTTP/1.1')
    if (status[2]!.startsWith('1')) return // an interim answer; the one that counts follows
    const connection = /\r\nconnection:([^\r]*)/i.exec(head)?.[1] ?? ''
    this.keepsConnection = status[1] === '1' ? !/\bclose\b/i.test(connection) : /\bkeep-alive\b/i.test(connection)
    const length = /\r\ncontent-length:[ \t]*(\d+)[ \t]*\r/i.exec(head)?.[1]
    if (status[2] === '204' || status[2] === '304') this.#phase = 'ended'
    else if (/\r\ntransfer-encoding:[^\r]*chunked/i.test(head)) this.#phase = 'size'
    else if (length !== undefined) this.#expect(Number(length), 'length')
    else this.#untilClose()
  }

  #expect (bytes: number, phase: 'length' | 'chunk'): void {
    this.#bytesLeft = bytes
    this.#phase = bytes === 0 ? 'ended' : phase
  }

  #untilClose (): void {
    this.keepsConnection = false
    this.#phase = 'close'
  }

  #readSize (line: string): void {
    const size = /^([0-9a-f]{1,13})[ \t]*(?:;[^\r]*)?\r\n$/i.exec(line)
    if (size === null) throw new Error('a chunk of the answer has no size')
    const bytes = Number.parseInt(size[1]!, 16)
    if (bytes === 0) this.#phase = 'trailers'
    else this.#expect(bytes + 2, 'chunk') // the line end behind it is part of what is skipped
  }
}
