/** A peer's consensus over etcd, on a pinset of its own. */
import { etcdSection } from '../../cluster/consensus/etcd/config.ts'
import { createEtcdConsensus } from '../../cluster/consensus/etcd/etcd-consensus.ts'
import type { PeerId } from '../../cluster/api/pin.ts'
import { createLogger } from '../../cluster/log.ts'
import type { FollowingState, MemberConsensus } from '../../cluster/peer-ports.ts'
import type { AppliedOps } from '../../cluster/ports.ts'
import { createPinset } from '../../cluster/state/pinset.ts'
import { createStore } from '../../cluster/store/store.ts'
import { temporaryFolder } from './folder.ts'
import { muteListener } from './mute-listener.ts'
import { self } from './pins.ts'

export const etcdSecret: string = 'ab'.repeat(32)

export interface EtcdPeerSettings {
  readonly endpoints: readonly string[]
  readonly peer?: PeerId
  readonly applied?: AppliedOps
  readonly secret?: string
  /** Of `consensus.etcd`. */
  readonly more?: Readonly<Record<string, unknown>>
  /** Gets the lines of the log. */
  readonly lines?: string[]
  readonly removed?: () => void
}

export interface EtcdPeer extends AsyncDisposable {
  readonly consensus: MemberConsensus
  readonly state: FollowingState
  readonly folder: string
  /** Stops it, and leaves its folder. */
  stop (): Promise<void>
  /** On the same folder, with these settings changed. */
  again (changed?: Partial<EtcdPeerSettings>): Promise<EtcdPeer>
}

const { signal } = new AbortController()
/** Machines may be slow. */
const patient = { commit_timeout: '120s', lease_ttl: '60s' }

export async function startEtcdPeer (settings: EtcdPeerSettings, folder?: AsyncDisposable & { readonly path: string }): Promise<EtcdPeer> {
  const { endpoints, peer = self, applied = muteListener, secret = etcdSecret, more = {}, lines = [], removed = () => {} } = settings
  const own = folder ?? await temporaryFolder()
  const store = createStore({ folder: own.path })
  await store.start({ signal })
  const state = createPinset({ store })
  const consensus = createEtcdConsensus(
    { store, state, applied, self: peer, log: createLogger(line => { lines.push(line) }, new Map()), addresses: () => [`/ip4/127.0.0.1/tcp/9096/p2p/${peer}`], removed, failed (err) { throw err } },
    { ...etcdSection({ endpoints, prefix: '/test', ...patient, ...more }, {}), folder: own.path, secret, peername: `peer ${peer.slice(-4)}` }
  )
  let isOver = false
  const stop = async (): Promise<void> => {
    if (isOver) return
    isOver = true
    await consensus[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  try {
    await consensus.start({ signal })
  } catch (err) {
    await stop()
    if (folder === undefined) await own[Symbol.asyncDispose]()
    throw err
  }
  return {
    consensus,
    state,
    folder: own.path,
    stop,
    async again (changed = {}) {
      await stop()
      return await startEtcdPeer({ ...settings, ...changed }, own)
    },
    async [Symbol.asyncDispose] () {
      await stop()
      await own[Symbol.asyncDispose]()
    }
  }
}
