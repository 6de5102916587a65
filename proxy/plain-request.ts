/** Longer heads are rare, and node's parser does them as well. */
const headBytesMax = 16_384

/** Everything that a proxy has to look at, change, answer or frame: such requests are not plain. */
const looked = new Set(['expect', 'upgrade', 'origin', 'referer', 'te', 'trailer', 'transfer-encoding', 'keep-alive', 'proxy-connection', 'http2-settings'])
const requestLine = /^POST (\/api\/v0\/[!-"$-~]*) HTTP\/1\.([01])$/
/** The bytes that Go takes in a host (`httpguts.ValidHostHeader`). */
export const hostForm = /^[0-9A-Za-z!$%&()*+,\-.:;=['\]_~]*$/
/** What Go takes between `http://` and the path (`net/url`). */
const authorityForm = /^(?:[0-9A-Za-z!$%&'()*+,\-.:;=@_~]*@)?(?:\[[0-9A-Fa-f:.]+(?:%25[^\]]*)?\]|(?:[0-9A-Za-z!$&'()*+,\-.;<>="_~\x80-\xff]|%25|%[89A-Fa-f][0-9A-Fa-f])*)(?::\d*)?$/
/** Whether a request target is a path, or a URL whose host is one for Go. */
export const hasGoodHost = (target: string): boolean => target.startsWith('/') || authorityForm.test(/^[a-z][a-z0-9+.-]*:\/\/([^/?]*)/i.exec(target)?.[1] ?? '')
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/

export interface PlainRequest {
  readonly target: string
  /** For the daemon: the head as it came, but for its host. */
  readonly head: Buffer
  /** Whether the client wants its connection closed after the answer; so does, then, the daemon. */
  readonly closes: boolean
}

/**
 * Reads what is the whole of one request without a body whose every header goes to the daemon as it is. That is what nearly all
 * calls of a Kubo are. `undefined` for all else, which is then read by node's own parser, strictly.
 *
 * @param host the daemon's, for the `Host` header
 */
export function readPlainRequest (bytes: Buffer, host: string): PlainRequest | undefined {
  if (bytes.length > headBytesMax || bytes.indexOf('\r\n\r\n', 0, 'latin1') !== bytes.length - 4) return undefined
  const [first, ...lines] = bytes.toString('latin1', 0, bytes.length - 4).split('\r\n')
  const [, target, minor] = requestLine.exec(first!) ?? []
  if (target === undefined) return undefined
  const isOld = minor === '0'
  let hosts = 0
  let lengths = 0
  let closes = isOld
  const kept = [first, `Host: ${host}`]
  for (const line of lines) {
    const header = headerLine.exec(line)
    if (header === null) return undefined
    const name = header[1]!.toLowerCase()
    const value = header[2]!.trim()
    if (looked.has(name)) return undefined
    if (name === 'connection' && !/^(?:close|keep-alive)$/i.test(value)) return undefined
    if (name === 'connection') closes = value.toLowerCase() === 'close' || (closes && !isOld)
    if (name === 'content-length' && (value !== '0' || ++lengths > 1)) return undefined
    if (name === 'host' && !hostForm.test(value)) return undefined
    if (name === 'host') hosts++
    else kept.push(line)
  }
  return hosts === 1 || (isOld && hosts === 0) ? { target, head: Buffer.from(`${kept.join('\r\n')}\r\n\r\n`, 'latin1'), closes } : undefined
}
