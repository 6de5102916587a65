import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Adder } from '../adder/adder.ts'
import { abortable } from '../cluster/async/abortable.ts'
import { deadline } from '../cluster/async/deadline.ts'
import type { Clock } from '../cluster/clock.ts'
import type { Logger } from '../cluster/log.ts'
import type { ClusterApi, Component } from '../cluster/ports.ts'
import { relayRequest } from './byte-relay.ts'
import { commandRules } from './command-rules.ts'
import type { ProxyConfig } from './config.ts'
import { createDaemonCalls } from './daemon-calls.ts'
import { createDaemonLink } from './daemon-link.ts'
import { createDoor } from './door.ts'
import { watchGivenUp } from './given-up.ts'
import { createGuard, isUnreachable } from './guard.ts'
import { intercept } from './intercept.ts'
import { addressOf, close, open, portOf } from './listening.ts'
import { matchCommand } from './match-command.ts'
import { createMfsRoot, mayWriteFiles } from './mfs-root.ts'
import type { MfsRootComponents } from './mfs-root.ts'
import { mapOrigins } from './origins.ts'
import type { OriginMap } from './origins.ts'
import { ownAddressCheck } from './own-address.ts'
import type { OwnAddressCheck } from './own-address.ts'
import { passUpload } from './pass-upload.ts'
import { createPassthrough, hasBody } from './passthrough.ts'
import { refuseCommand } from './refuse-command.ts'
import { createRoutes } from './routes.ts'
import { answerUnreachable } from './unreachable.ts'

/** What is under way when the proxy closes has so long to end by itself: a restart fails nobody who asked for little. */
const graceMs = 2_000
/** What a caller waits at most after that for the end of what it asked. */
const endTimeoutMs = 5_000

export interface ProxyComponents {
  readonly cluster: ClusterApi
  readonly adder: Adder
  /** Where the root of the daemon's files is pinned if the configuration says so. */
  readonly followRoot: MfsRootComponents['follow']
  readonly clock: Clock
  readonly log: Logger
}

export interface Proxy extends Component {
  /** Where it listens, once started; port 0 in the configuration is a free port here. */
  readonly addresses: readonly string[]
}

/**
 * A Kubo /api/v0 whose pins are the cluster's. No web framework stands in the way: each request is looked up in one table and is
 * either run here or handed to the daemon raw.
 */
export function createProxy ({ cluster, adder, followRoot, clock, log: parentLog }: ProxyComponents, config: ProxyConfig): Proxy {
  const log = parentLog.for('ipfsproxy')
  const daemon = createDaemonLink(config.nodeMultiaddress, { https: config.nodeHttps })
  const calls = createDaemonCalls({ daemon }, { auth: config.apiAuth })
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  const servers: Server[] = []
  let origins: OriginMap = mapOrigins([], undefined)
  let check: OwnAddressCheck | undefined
  const rules = commandRules(config)
  const parts = { daemon, origins: () => origins, clock, log, rules }
  const guard = createGuard({ ...parts, calls }, { ttlMs: config.extractHeadersTtl })
  const pass = createPassthrough(parts)
  const table = createRoutes({ cluster, adder, daemon: calls, clock, givenUp: watchGivenUp({ cluster }) }, config)
  const files = config.pinMfsRoot ? createMfsRoot({ daemon: calls, follow: followRoot, clock, log }) : undefined
  const concernsFiles = (target: string): boolean => files !== undefined && mayWriteFiles(target)

  const answer = (request: IncomingMessage, response: ServerResponse, expects: boolean): void => {
    if (check?.caught(request, response) === true) return
    if (rules.refuses(request.url!)) {
      own(refuseCommand(request, response, { expects, clock, log }), response)
      return
    }
    if (concernsFiles(request.url!)) response.once('close', files!.written)
    const handOn = (target?: string): void => {
      if (request.httpVersion === '1.0') relayRequest(request, request.socket, { daemon, origins })
      else if (expects || hasBody(request)) passUpload(request, response, parts, { expects, target })
      else pass(request, response, target)
    }
    const match = request.method === 'POST' ? matchCommand(table, request.url!) : undefined
    if (match === undefined) {
      handOn()
      return
    }
    own(intercept({ request, response, match, handOn, awaitsContinue: expects, signal: stopping.signal }, { guard, clock, log }), response)
  }

  const own = (answering: Promise<void>, response: ServerResponse): void => {
    const work = answering
      .catch((err: unknown) => failed(response, err, { address: daemon.address, log }))
      .finally(() => running.delete(work))
    running.add(work)
  }

  const isForDaemon = (target: string): boolean => matchCommand(table, target) === undefined && !rules.refuses(target) && !concernsFiles(target)

  const within = async (timeoutMs: number, work: Promise<unknown>): Promise<void> => {
    using limit = deadline(clock, timeoutMs, 'closing the proxy', new AbortController().signal)
    await abortable(work, limit.signal).catch(() => {})
  }

  const stop = async (): Promise<void> => {
    const cut = new AbortController()
    const closed = Promise.all(servers.splice(0).map(server => close(server, clock, cut)))
    await within(graceMs, closed)
    stopping.abort(new Error('the proxy is closing'))
    // What was asked of the cluster is told why it ends, and what it began is put back, while the parts below still stand.
    await within(endTimeoutMs, Promise.allSettled(running))
    cut.abort(new Error('the proxy is closing'))
    await files?.[Symbol.asyncDispose]()
    await closed
    await daemon.close()
  }

  return {
    name: 'ipfsproxy',
    get addresses () { return servers.map(addressOf) },
    async start ({ signal }) {
      await using undo = new AsyncDisposableStack()
      undo.defer(stop)
      for (const endpoint of config.listenMultiaddress) servers.push(await open(createDoor({ ...parts, isForDaemon, isFast: () => check === undefined, answer }), endpoint))
      origins = mapOrigins(servers.map(portOf).filter(port => port !== undefined), daemon.port)
      check = ownAddressCheck()
      await check.run(calls, daemon.address, { signal })
      check = undefined
      await files?.start({ signal })
      undo.move()
      for (const note of rules.notes) log.warn(note)
      log.info('the IPFS proxy is open', { addresses: servers.map(addressOf), daemon: daemon.address })
    },
    [Symbol.asyncDispose]: stop
  }
}

function failed (response: ServerResponse, err: unknown, { address, log }: { readonly address: string, readonly log: Logger }): void {
  if (response.destroyed) return
  if (isUnreachable(err) && !response.headersSent) {
    answerUnreachable(response, address, err.cause instanceof Error ? err.cause : err)
    return
  }
  log.error('an answer failed', { error: err })
  response.destroy()
}
