/** An IPFS daemon in this process for those who have no Kubo: Kubo's RPC on loopback, over stores of its own. On memory stores it is the tests' daemon. */
import type { Clock } from '../cluster/clock.ts'
import type { Logger } from '../cluster/log.ts'
import type { Component } from '../cluster/ports.ts'
import { absentNames } from './commands/absent-commands.ts'
import { allCommands } from './commands/all-commands.ts'
import type { DescribedDaemon } from './config-document.ts'
import { createBlockService } from './dag/block-service.ts'
import { cidOf, hashByName } from './dag/hashes.ts'
import { codes } from './dag/codecs.ts'
import { createHttpServer } from './http/server.ts'
import { ownIdentity } from './identity.ts'
import { defaultFormat, directoryLayout, readKuboSettings } from './kubo-config.ts'
import type { KuboConfig, KuboSettings } from './kubo-config.ts'
import { createNetwork } from './network/network.ts'
import { openMfs } from './mfs/tree.ts'
import type { EmbeddedNode } from './node.ts'
import { createPinning } from './pinning.ts'
import { createDispatch } from './rpc/dispatch.ts'
import { createGate } from './rpc/gate.ts'
import { createMemoryStores } from './store/memory-stores.ts'
import { createPinLock } from './store/pin-lock.ts'
import type { Stores } from './store/stores.ts'

/** What clients take for Kubo's version: that of the Kubo whose answers these are like, and that they come from elsewhere. */
export const embeddedVersion = '0.44.0-emb'
const loopback = '127.0.0.1'
const storageMaxBytes = 10_000_000_000n
/** An answer has left by then; connections are cut when the server stops. */
const shutdownAfterMs = 100
/** The empty directory in its UnixFS bytes, which every fresh Kubo pins. */
const emptyDirectory = Buffer.from([0x0a, 0x02, 0x08, 0x01])

export interface EmbeddedDaemonConfig {
  /** `memory` is gone with the process; a folder is kept, and belongs to one daemon at a time. */
  readonly stores: 'memory' | { readonly folder: string }
  /** 0 takes one that is free. */
  readonly port: number
  /** As Kubo's config file says it; settings that mean nothing here are refused. */
  readonly kuboConfig?: KuboConfig
  readonly profile?: string
  /** Never waits for a block that is not here. */
  readonly offline?: boolean
}

export interface EmbeddedDaemon extends Component {
  /** Where it listens, once started. */
  address (): { readonly host: string, readonly port: number }
}

/** @throws ClusterError ERR_INVALID_ARGUMENT for settings it does not have; from `start`, ERR_STORAGE for a folder it cannot read */
export function createEmbeddedDaemon ({ clock, log }: { clock: Clock, log: Logger }, config: EmbeddedDaemonConfig): EmbeddedDaemon {
  const settings = readKuboSettings(config.kuboConfig, config.profile)
  const running = new AsyncDisposableStack()
  let listening: { host: string, port: number } | undefined

  return {
    name: 'embedded daemon',
    async start ({ signal }) {
      signal.throwIfAborted()
      const stores = running.use(await openStores(config.stores, clock, signal))
      const node = await createNode({ stores, clock, log, running }, settings, config.offline ?? false)
      const gateConfig = { ...settings, version: embeddedVersion }
      const describe = (): DescribedDaemon => ({ apiAddress: `/ip4/${loopback}/tcp/${listening!.port}`, swarm: node.network.addresses(), config: config.kuboConfig ?? {} })
      const shutdown = (): void => {
        server.close()
        clock.after(shutdownAfterMs, () => { running.disposeAsync().catch((err: unknown) => { log.error('could not stop', { err }) }) })
      }
      const dispatch = createDispatch(allCommands(node, { describe, shutdown }), absentNames, { clock }, gateConfig)
      let gate: ReturnType<typeof createGate> | undefined
      const server = running.use(createHttpServer(async (request, response) => { await gate?.(request, response) }, { clock, log }))
      listening = await server.listen(loopback, config.port)
      gate = createGate(gateConfig, listening.port, dispatch)
      node.network.start()
    },
    address () {
      if (listening === undefined) throw new Error('the embedded daemon has not been started')
      return listening
    },
    async [Symbol.asyncDispose] () { await running.disposeAsync() }
  }
}

/** LMDB is loaded only by who keeps something. */
async function openStores (where: EmbeddedDaemonConfig['stores'], clock: Clock, signal: AbortSignal): Promise<Stores> {
  if (where === 'memory') return createMemoryStores('memory')
  const { openDiskStores } = await import('./store/disk-stores.ts')
  return await openDiskStores(where.folder, clock, signal)
}

interface NodeComponents { readonly stores: Stores, readonly clock: Clock, readonly log: Logger, readonly running: AsyncDisposableStack }

async function createNode ({ stores, clock, log, running }: NodeComponents, { imports, swarm, peering }: KuboSettings, isOffline: boolean): Promise<EmbeddedNode> {
  const { seed, ...identity } = await ownIdentity(stores)
  const network = running.use(createNetwork({ clock, log, stores }, { seed, agent: `kubo/${embeddedVersion}`, listen: swarm, peering, isOffline }))
  const blocks = createBlockService(stores.blocks, isOffline ? undefined : network.bitswap)
  const pinning = createPinning(stores, blocks)
  if (stores.own.get('initialized') === undefined) {
    const empty = cidOf(emptyDirectory, { version: 0, codec: codes['dag-pb'], hash: hashByName('sha2-256')! })
    await blocks.put(empty, emptyDirectory)
    await pinning.mark(empty, '')
    await stores.own.put('initialized', Buffer.from('1'))
  }
  const mfs = await openMfs(stores, blocks, defaultFormat(imports), directoryLayout(imports))
  return { clock, stores, blocks, pinning, lock: createPinLock(), network, mfs, version: embeddedVersion, ...identity, imports, storageMaxBytes }
}
