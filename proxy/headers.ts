import type { OriginMap } from './origins.ts'

/** Names and values alternating, in the order and case of the wire, as node:http gives and takes them. */
export type RawHeaders = readonly string[]

/** Each side of the proxy frames its own connection, so these are never handed on. `host` is the daemon's own. */
const ownToEachSide = new Set(['host', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'http2-settings', 'expect'])

/** A request's headers as the daemon should see them, framing apart. */
export function toDaemonHeaders (raw: RawHeaders, origins: OriginMap): string[] {
  const out: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!
    const lower = name.toLowerCase()
    if (ownToEachSide.has(lower)) continue
    const value = raw[i + 1]!
    out.push(name, lower === 'origin' || lower === 'referer' ? origins.toDaemon(value) : value)
  }
  return out
}

/**
 * An answer's headers as the client should see them: the daemon's, to the letter. The connection to the daemon is kept where the
 * client asked to close its own; Go writes that wish after `Date` and the length, before the encoding.
 */
export function toClientHeaders (raw: RawHeaders, { closing, origin, origins }: { closing: boolean, origin: string | undefined, origins: OriginMap }): string[] {
  const out: string[] = []
  let closes = !closing
  let encodingAt = -1
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!
    const value = raw[i + 1]!
    const lower = name.toLowerCase()
    if (lower === 'connection') closes = true
    if (lower === 'transfer-encoding') encodingAt = out.length
    out.push(name, lower === 'access-control-allow-origin' ? origins.toClient(value, origin) : value)
  }
  if (!closes) out.splice(encodingAt < 0 ? out.length : encodingAt, 0, 'Connection', 'close')
  return out
}

/** The first value of a header, as Go's `Header.Get` answers. */
export function headerOf (raw: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) if (raw[i]!.length === name.length && raw[i]!.toLowerCase() === name) return raw[i + 1]
  return undefined
}

/** Whether the client wants its connection closed after the answer (Go looks for the word anywhere, between commas or blanks). */
export function wantsClose (raw: RawHeaders): boolean {
  const value = headerOf(raw, 'connection')
  return value !== undefined && /(?:^|[ ,\t])close(?:[ ,\t]|$)/i.test(value)
}
