/** Where an HTTP server listens or is reached: a TCP port or a unix socket. `multiaddr` is how it was written. */
export type Endpoint =
  | { readonly multiaddr: string, readonly kind: 'tcp', readonly host: string, readonly port: number, readonly secure: boolean }
  | { readonly multiaddr: string, readonly kind: 'unix', readonly path: string }

const tcpForm = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(\/http|\/https|\/tls|\/tls\/http)?$/

/**
 * The multiaddrs that HTTP can use: `/ip4/127.0.0.1/tcp/9094`, `/dns4/kubo/tcp/443/https`, `/unix/run/ipfs.sock`
 * (the rest of the text is the path, as in Go).
 *
 * @throws Error saying what was expected
 */
export function parseEndpoint (written: string): Endpoint {
  const found = readEndpoint(written)
  if (found === undefined) throw new Error('expected a multiaddr like /ip4/127.0.0.1/tcp/9094, /dns4/name/tcp/443/https or /unix/path')
  return found
}

/**
 * The same, to listen on: whether TLS is spoken there is for a certificate to say, not for the address.
 *
 * @throws Error saying what was expected
 */
export function parseDoor (written: string): Endpoint {
  const found = readEndpoint(written)
  if (found === undefined) throw new Error('expected a multiaddr like /ip4/127.0.0.1/tcp/9094 or /unix/path')
  const [, bare, security] = /^(\/[^/]+\/[^/]+\/tcp\/\d+)(\/.+)$/.exec(found.kind === 'tcp' ? written : '') ?? []
  if (security !== undefined) throw new Error(`expected ${bare}, an address to listen on, without ${security}`)
  return found
}

/** For messages and HTTP clients; a unix socket is shown by its path. */
export function urlOf (endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `${endpoint.secure ? 'https' : 'http'}://${host}:${endpoint.port}`
}

/** Whether only this machine can reach it. A name other than `localhost` may be anybody's. */
export function isLoopback (endpoint: Endpoint): boolean {
  return endpoint.kind === 'unix' || endpoint.host === 'localhost' || endpoint.host === '::1' || endpoint.host.startsWith('127.')
}

/** Undefined for what is none. */
function readEndpoint (written: string): Endpoint | undefined {
  if (written.startsWith('/unix/') && written.length > '/unix/'.length) return { multiaddr: written, kind: 'unix', path: written.slice('/unix'.length) }

  const [, family, host, port, security] = tcpForm.exec(written) ?? []
  if (host === undefined || Number(port) > 65_535 || (family === 'ip4' && !/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) || (family === 'ip6' && !host.includes(':'))) return undefined
  return { multiaddr: written, kind: 'tcp', host, port: Number(port), secure: security === '/https' || security?.startsWith('/tls') === true }
}
