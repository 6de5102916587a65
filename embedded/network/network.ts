/**
 * The daemon's side of the network. libp2p costs 0.7 s and 50 MB, so it is loaded once somebody needs it: at once for a daemon that was
 * given addresses or peers, or that has been asked for its address before; else with the first command that speaks of peers. Until then
 * nobody can know where to find it, so nothing is missed.
 */
import { abortable } from '../../cluster/async/abortable.ts'
import { createBackground } from '../../cluster/async/background.ts'
import type { Clock } from '../../cluster/clock.ts'
import type { Logger } from '../../cluster/log.ts'
import type { AbortOptions } from '../../cluster/ports.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import type { Stores } from '../store/stores.ts'
import { createBitswap } from './bitswap.ts'
import type { Bitswap } from './bitswap.ts'
import type { Host, HostConfig } from './host.ts'
import { createPeering } from './peering.ts'
import type { PeerAddresses, Peering } from './peering.ts'

const portKey = 'swarm-port'
const loopback = '/ip4/127.0.0.1/tcp'

export interface NetworkConfig extends Omit<HostConfig, 'listen'> {
  /** Where to listen; without it on loopback, at the port of the last time when that is free. */
  readonly listen: readonly string[] | undefined
  readonly peering: readonly PeerAddresses[]
  readonly isOffline: boolean
}

export interface Network extends AsyncDisposable {
  readonly isOnline: boolean
  readonly bitswap: Bitswap
  readonly peering: Peering
  /** Where it listens or will listen; none as long as nobody has had a use for it, and so none has been chosen. */
  addresses (): readonly string[]
  /** Starts what is to run from the beginning; does not wait for it. */
  start (): void
  /** Loads and starts libp2p when that has not been done. @throws Error when an address cannot be listened at */
  host (options: AbortOptions): Promise<Host>
}

/** Of commands that ask the node. */
export class NotOnlineError extends KuboError {
  constructor () { super("this command must be run in online mode. Try running 'ipfs daemon' first") }
}

/** Of commands that ask Kubo's core API. */
export class ActionOfflineError extends KuboError {
  constructor () { super("this action must be run in online mode, try running 'ipfs daemon' first") }
}

export interface NetworkComponents {
  readonly clock: Clock
  readonly log: Logger
  readonly stores: Pick<Stores, 'blocks' | 'own'>
}

export function createNetwork ({ clock, log, stores }: NetworkComponents, config: NetworkConfig): Network {
  const background = createBackground(err => { log.error('the network cannot be started', { err }) })
  const bitswap = createBitswap({ store: stores.blocks, clock, log })
  const running = new AsyncDisposableStack()
  let starting: Promise<Host> | undefined
  let isEnding = false

  const host = async ({ signal }: AbortOptions): Promise<Host> => {
    if (config.isOffline || isEnding) throw new NotOnlineError()
    starting ??= open().catch((err: unknown) => {
      starting = undefined
      throw err
    })
    return await abortable(starting, signal)
  }
  const peering = createPeering({
    clock,
    log,
    random: Math.random,
    async connect ({ peer, addresses }, options) {
      const opened = await host(options)
      await opened.keep(peer, true)
      await opened.connect(peer, addresses, options)
    }
  })
  const open = async (): Promise<Host> => {
    const { createHost } = await import('./host.ts')
    const listenAt = async (listen: readonly string[]): Promise<Host> => await createHost({ bitswap, clock, log }, { ...config, listen })
    const before = stores.own.get(portKey)
    const opened = config.listen !== undefined
      ? await listenAt(config.listen)
      : before === undefined ? await listenAt([`${loopback}/0`]) : await listenAt([`${loopback}/${Buffer.from(before).toString()}`]).catch(() => listenAt([`${loopback}/0`]))
    running.use(opened)
    opened.onDisconnect(peering.lost)
    if (config.listen === undefined) await keepPort(opened)
    return opened
  }
  const keepPort = async (opened: Host): Promise<void> => {
    const port = /\/tcp\/(\d+)$/.exec(opened.addresses()[0] ?? '')?.[1]
    if (port === undefined) return
    await stores.own.put(portKey, Buffer.from(port))
  }

  return {
    isOnline: !config.isOffline,
    bitswap,
    peering,
    addresses () {
      const port = stores.own.get(portKey)
      return config.listen ?? (port === undefined ? [] : [`${loopback}/${Buffer.from(port).toString()}`])
    },
    start () {
      if (config.isOffline || (config.listen === undefined && config.peering.length === 0 && stores.own.get(portKey) === undefined)) return
      background.run(host({ signal: new AbortController().signal }))
      for (const peer of config.peering) peering.add(peer)
    },
    host,
    async [Symbol.asyncDispose] () {
      isEnding = true
      await peering[Symbol.asyncDispose]()
      await starting?.catch(() => undefined)
      await running.disposeAsync()
      await bitswap[Symbol.asyncDispose]()
      await background[Symbol.asyncDispose]()
    }
  }
}
