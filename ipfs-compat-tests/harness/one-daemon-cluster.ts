/** A ClusterApi that is one daemon and a map: for tests of the edges alone. What it does not need it does not have. */
import type { CID } from 'multiformats/cid'
import { ClusterError, KuboRepliedError } from '../../cluster/api/errors.ts'
import type { PeerId, Pin, PinOptions } from '../../cluster/api/pin.ts'
import type { Endpoint } from '../../cluster/config/endpoint.ts'
import type { AbortOptions, ClusterApi, ClusterPinCall, PinsetReader } from '../../cluster/ports.ts'
import { createDaemonCalls } from '../../proxy/daemon-calls.ts'
import type { DaemonCalls } from '../../proxy/daemon-calls.ts'
import { createDaemonLink } from '../../proxy/daemon-link.ts'

export interface OneDaemonCluster { readonly cluster: ClusterApi, readonly pins: Map<string, Pin>, [Symbol.asyncDispose] (): Promise<void> }

export function oneDaemonCluster (node: Endpoint, { auth }: { auth?: string | undefined } = {}): OneDaemonCluster {
  const self = '12D3KooWTest' as PeerId
  const link = createDaemonLink(node)
  const daemon = createDaemonCalls({ daemon: link }, { auth })
  const pins = new Map<string, Pin>()
  const state = stateOf(pins)
  const missing = (): never => { throw new Error('not part of this test') }
  const cluster: ClusterApi = {
    self,
    state,
    assertMayChange () {},
    pin: (cid, options, call) => pinOn(daemon, pins, cid, options, call),
    async unpin (cid, { signal }) {
      const pin = pins.get(cid.toString())
      if (pin === undefined) throw new ClusterError('ERR_PIN_NOT_FOUND', 'pin is not part of the pinset')
      pins.delete(cid.toString())
      await daemon.value('pin/rm', { query: [['arg', cid.toString()]], signal }).catch(ignoreNotPinned)
      return pin
    },
    async repoStat ({ sizeOnly = false, signal }) {
      const { RepoSize, StorageMax, NumObjects, RepoPath, Version } = await daemon.value('repo/stat', { ...sizeOnly && { query: [['size-only', 'true']] }, signal }) as Record<string, never>
      return { repoSize: BigInt(RepoSize!), storageMax: BigInt(StorageMax!), numObjects: BigInt(NumObjects!), repoPath: RepoPath!, version: Version! }
    },
    async * repoGc ({ signal }) {
      for await (const line of daemon.values('repo/gc', { query: [['stream-errors', 'true']], signal })) {
        const { Key, Error: error = '' } = line as { Key: { '/': string } | null, Error?: string }
        yield { peer: self, key: Key?.['/'] ?? '', error }
      }
    },
    defaults: { replication: 'everywhere' },
    isLeft: () => false,
    isLettingGo: () => false,
    resolve: missing, foresee: missing, allocate: missing, canDoWithout: missing, status: missing, statusAll: missing, recover: missing, recoverAll: missing, settled: missing, id: missing, peers: missing
  }
  return { cluster, pins, [Symbol.asyncDispose]: () => link.close() }
}

async function pinOn (daemon: DaemonCalls, pins: Map<string, Pin>, cid: CID, options: PinOptions, { signal, onProgress }: ClusterPinCall): Promise<Pin> {
  const { name, mode, metadata, origins, pinUpdate, expireAtMs } = options
  const pin: Pin = { cid, name, mode, metadata, origins, pinUpdate, expireAtMs, replication: 'everywhere', allocations: [], timestampMs: 0 }
  const before = pins.get(cid.toString())
  if (before?.name === name && before.mode === mode) return before
  const query: [string, string][] = [['arg', cid.toString()], ['recursive', String(mode === 'recursive')], ['progress', 'true'], ['name', name]]
  for await (const line of daemon.values('pin/add', { query, signal })) {
    const { Progress: nodes = 0, Bytes: bytes = 0 } = line as { Progress?: number, Bytes?: number }
    if (nodes > 0) onProgress?.({ nodes, bytes })
  }
  pins.set(cid.toString(), pin)
  return pin
}

function stateOf (pins: ReadonlyMap<string, Pin>): PinsetReader {
  return {
    async get (cid) {
      const pin = pins.get(cid.toString())
      return pin === undefined ? undefined : { pin, revision: 1n }
    },
    async * list () { yield * pins.values() },
    async count () { return pins.size },
    async * expired (_: number, __: AbortOptions) {}
  }
}

function ignoreNotPinned (err: unknown): void {
  if (!(err instanceof KuboRepliedError) || !err.message.includes('not pinned')) throw err
}

