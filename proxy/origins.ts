/**
 * The daemon lets in pages whose origin is its *own* port on this machine. A page that was loaded through the proxy has the proxy's
 * port, so origins and referers are rewritten on the way in, and what the daemon allows on the way back.
 */
export interface OriginMap {
  /** The value for the daemon; the same text when it is not our own origin. */
  toDaemon (value: string): string
  /** `Access-Control-Allow-Origin` for the client, given what the daemon sent and what the client had asked for. */
  toClient (allowed: string, asked: string | undefined): string
}

/** @param ownPorts where the proxy listens; @param daemonPort `undefined` (a unix socket) leaves everything as it is */
export function mapOrigins (ownPorts: readonly number[], daemonPort: number | undefined): OriginMap {
  if (daemonPort === undefined || ownPorts.length === 0) return { toDaemon: value => value, toClient: allowed => allowed }
  const own = new RegExp(`^(https?://(?:127\\.0\\.0\\.1|localhost|\\[::1\\])):(?:${ownPorts.join('|')})(?![0-9])`, 'i')
  const toDaemon = (value: string): string => value.replace(own, (_, scheme: string) => `${scheme}:${daemonPort}`)
  return {
    toDaemon,
    toClient: (allowed, asked) => asked !== undefined && allowed !== asked && allowed === toDaemon(asked) ? asked : allowed
  }
}
