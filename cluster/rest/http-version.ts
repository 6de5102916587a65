import type { IncomingMessage } from 'node:http'

/** HTTP/2 has a header for the host and none that speak of the connection. */
export const isHttp2 = ({ httpVersionMajor }: IncomingMessage): boolean => httpVersionMajor === 2

/** The name and port that a request was sent to, as the client calls them. */
export function hostOf ({ headers }: IncomingMessage): string | undefined {
  return headers.host ?? headers[':authority'] as string | undefined
}
