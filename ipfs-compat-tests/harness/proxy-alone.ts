/** The proxy without a peer behind it, in front of any daemon: for tests of what happens on the wire. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Adder } from '../../adder/adder.ts'
import { systemClock } from '../../cluster/clock.ts'
import { parseEndpoint } from '../../cluster/config/endpoint.ts'
import { silentLogger } from '../../cluster/log.ts'
import type { Logger } from '../../cluster/log.ts'
import type { ClusterApi } from '../../cluster/ports.ts'
import { proxySection } from '../../proxy/config.ts'
import { createProxy } from '../../proxy/server.ts'
import { oneDaemonCluster } from './one-daemon-cluster.ts'

export interface ProxyAlone extends AsyncDisposable {
  readonly port: number
  readonly cluster: ClusterApi
  /** A connection to it. */
  connect (): Socket
}

/** @param settings keys of `api.ipfsproxy` as `service.json` has them */
export async function proxyAlone (node: string, settings: Readonly<Record<string, unknown>> = {}, log: Logger = silentLogger): Promise<ProxyAlone> {
  await using undo = new AsyncDisposableStack()
  const { cluster } = undo.use(oneDaemonCluster(parseEndpoint(node)))
  const config = proxySection({ listen_multiaddress: '/ip4/127.0.0.1/tcp/0', node_multiaddress: node, ...settings }, {})
  const proxy = createProxy({ cluster, adder: noAdder, followRoot: none, clock: systemClock, log }, config)
  await proxy.start({ signal: new AbortController().signal })
  undo.use(proxy)
  const port = Number(new URL(proxy.addresses[0]!).port)
  const running = undo.move()
  return { port, cluster, connect: () => connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }), [Symbol.asyncDispose]: () => running.disposeAsync() }
}

const none = (): never => { throw new Error('not part of this test') }
const noAdder: Adder = { add: none, importCars: none } as unknown as Adder

/** All that comes on a connection until it ends, or until `isEnough`. */
export async function readAll (socket: Socket, isEnough: (text: string) => boolean = () => false): Promise<string> {
  let text = ''
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    if (isEnough(text)) resolve(text)
  })
  socket.on('end', () => resolve(text))
  socket.on('error', reject)
  return await promise
}
