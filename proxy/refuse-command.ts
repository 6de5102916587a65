import type { IncomingMessage, ServerResponse } from 'node:http'
import { splitTarget } from '../cluster/api/kubo/query.ts'
import type { Clock } from '../cluster/clock.ts'
import type { Logger } from '../cluster/log.ts'
import { clientSink } from './client-sink.ts'
import { refusalHead } from './command-head.ts'
import { wantsClose } from './headers.ts'
import { hasBody } from './passthrough.ts'

/** What a Kubo with `API.Authorizations` says of a call that those do not allow, and how: before CORS, method and command. */
export const accessDenied = 'Kubo RPC Access Denied: Please provide a valid authorization token as defined in the API.Authorizations configuration.\n'

/** What Go's server reads of an upload that nobody wants before it gives up the connection. */
const unreadBytesMax = 256 << 10
const shownPathMax = 200

/**
 * Refuses a call that the configuration does not let through. A small upload is read to its end first, as in Go, so that the client
 * comes to read the answer and its connection is kept.
 *
 * @param expects the client waits to be told to send its body, and is not
 */
export async function refuseCommand (request: IncomingMessage, response: ServerResponse, { expects, clock, log }: { readonly expects: boolean, readonly clock: Clock, readonly log: Logger }): Promise<void> {
  log.info('a call was refused, as api.ipfsproxy.allow and deny say', { path: splitTarget(request.url!).path.slice(0, shownPathMax) })
  const bodyLeft = hasBody(request) && (expects || !await isReadWhole(request))
  if (response.destroyed) return
  const sink = clientSink(request, response)
  sink.head(403, refusalHead({ own: [], bodyLeft, clientCloses: wantsClose(request.rawHeaders), version: request.httpVersion, length: accessDenied.length, nowMs: clock.now() }))
  await sink.write(accessDenied, { signal: new AbortController().signal })
  sink.end()
  request.resume()
}

async function isReadWhole (request: IncomingMessage): Promise<boolean> {
  if (Number(request.headers['content-length'] ?? 0) >= unreadBytesMax) return false
  let bytes = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length
      if (bytes > unreadBytesMax) return false
    }
    return true
  } catch {
    return false // the client broke it off
  }
}
