import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deadline } from '../async/deadline.ts'
import { openDoor } from '../async/open-door.ts'
import type { Clock } from '../clock.ts'
import { urlOf } from '../config/endpoint.ts'
import type { Endpoint } from '../config/endpoint.ts'
import type { Logger } from '../log.ts'
import type { AbortOptions, Component } from '../ports.ts'
import type { StatsConfig } from './config.ts'
import { prometheusText } from './prometheus.ts'
import type { Sample } from './prometheus.ts'

/** As long as Prometheus waits, if it is not told otherwise. */
const countingMs = 10_000
/** Who asks is one or two; others wait for a place. */
const connectionsMax = 32

export interface Stats extends Component {
  /** Where it listens, once started. */
  readonly address: Endpoint
}

export interface StatsComponents {
  readonly samples: (options: AbortOptions) => Promise<readonly Sample[]>
  readonly clock: Clock
  readonly log: Logger
}

/** Tells a peer's numbers to Prometheus, counted anew at most every `reporting_interval`. */
export function createStats ({ samples, clock, log }: StatsComponents, { prometheusEndpoint, reportingInterval }: StatsConfig): Stats {
  const closing = new AbortController()
  let address = prometheusEndpoint
  let counted: { readonly atMs: number, readonly text: Promise<string> } | undefined

  const count = async (): Promise<string> => {
    using limit = deadline(clock, countingMs, 'counting', closing.signal)
    return prometheusText(await samples(limit))
  }
  const answer = async ({ method = '', url = '' }: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (url.split('?')[0] !== '/metrics') return void response.writeHead(404, { 'content-type': 'text/plain' }).end('there is only /metrics here\n')
    if (method !== 'GET' && method !== 'HEAD') return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
    if (counted === undefined || clock.now() - counted.atMs >= reportingInterval) counted = { atMs: clock.now(), text: count() }
    try {
      const text = await counted.text
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text)
    } catch (err) {
      counted = undefined
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`${(err as Error).message}\n`)
    }
  }
  const server = createServer((request, response) => { void answer(request, response) })
  server.maxConnections = connectionsMax

  return {
    name: 'stats',
    get address () { return address },
    async start () {
      await openDoor({ ...prometheusEndpoint, setting: 'observations.metrics.prometheus_endpoint' }, async () => {
        server.listen(prometheusEndpoint.kind === 'unix' ? { path: prometheusEndpoint.path } : { host: prometheusEndpoint.host, port: prometheusEndpoint.port })
        await once(server, 'listening')
      })
      const { port } = server.address() as AddressInfo
      if (prometheusEndpoint.kind === 'tcp') address = { ...prometheusEndpoint, port, multiaddr: prometheusEndpoint.multiaddr.replace(/\/tcp\/0$/, `/tcp/${port}`) }
      log.info('numbers for Prometheus are told', { address: `${urlOf(address)}/metrics` })
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('this peer is shutting down'))
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}
