/** A peer that only stores and keeps to no rule: it has a member's key and the cluster's secret, and says by hand what its program never would. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PeerId } from '../../cluster/api/pin.ts'
import { systemClock } from '../../cluster/clock.ts'
import { readIdentity } from '../../cluster/config/identity.ts'
import { wireTypes } from '../../cluster/consensus/raft/codec.ts'
import { encodeConfChange } from '../../cluster/consensus/raft/core/conf-codec.ts'
import { message } from '../../cluster/consensus/raft/core/message.ts'
import { realDisk } from '../../cluster/consensus/raft/disk.ts'
import { encodeFrame, FrameReader } from '../../cluster/consensus/raft/frame.ts'
import { encodeHello, frameTag, protocolVersion } from '../../cluster/consensus/raft/handshake.ts'
import type { Lane } from '../../cluster/consensus/raft/handshake.ts'
import { readIdentity as readNode } from '../../cluster/consensus/raft/identity-file.ts'
import { decodeLaneAnswer, encodeMessages } from '../../cluster/consensus/raft/link-frames.ts'
import { laneOf, raftProtocol } from '../../cluster/consensus/raft/peer-transport-lane.ts'
import { encodeManifest } from '../../cluster/consensus/raft/snapshot-files.ts'
import { silentLogger } from '../../cluster/log.ts'
import type { RpcHandlers, RpcMethod } from '../../cluster/peer-ports.ts'
import { createHost } from '../../cluster/peers/host.ts'
import { createPeerRpc } from '../../cluster/peers/rpc/peer-rpc.ts'
import type { TestPeer } from './cluster.ts'
import { cidOf } from './pins.ts'

const { signal } = new AbortController()
const huge = 2 ** 40

export interface Attacker extends AsyncDisposable {
  /** Calls each method there is. Complete by type: a new method does not compile without its attack. */
  readonly calls: { readonly [M in RpcMethod]: () => Promise<unknown> }
  /** Says hello on a lane as the member it is, or as a node that nobody knows, then forges every kind of message, or a snapshot. @returns what was answered to the hello */
  forge (lane: Lane, as: 'itself' | 'a stranger'): Promise<'welcome' | 'refused'>
}

/** `storer` has to be stopped: this takes its place. `other` is a member that neither of them is. */
export async function attackFrom (storer: TestPeer, victim: { readonly folder: string, readonly id: string, readonly address: string }, other: PeerId): Promise<Attacker> {
  const identity = readIdentity(await readFile(join(storer.folder, 'identity.json'), 'utf8'), {})
  const [own, theirs] = await Promise.all([storer, victim].map(async ({ folder }) => (await readNode(realDisk, join(folder, 'state', 'raft')))!)) as [NonNullable<Awaited<ReturnType<typeof readNode>>>, NonNullable<Awaited<ReturnType<typeof readNode>>>]
  const host = createHost({ identity, clock: systemClock, log: silentLogger }, {
    secret: Buffer.from(storer.settings['CLUSTER_SECRET']!, 'hex'), listen: ['/ip4/127.0.0.1/tcp/0'], announce: [], noAnnounce: [], dialTimeoutMs: 30_000
  })
  const rpc = createPeerRpc({ streams: host, handlers: {} as RpcHandlers, trustOf: () => 'open', clock: systemClock, log: silentLogger })
  await host.start({ signal })
  await rpc.start({ signal })
  const to = await host.connectTo(victim.address, { signal })
  const cid = cidOf('attacked')
  const join3 = { peer: other, clusterName: 'ipfs-cluster', nodeId: 4_711, incarnation: 1, addresses: [], daemon: '', votes: true }

  return {
    calls: {
      'Cluster.Id': async () => await rpc.call(to, 'Cluster.Id', undefined, { signal }),
      'Cluster.Links': async () => await rpc.call(to, 'Cluster.Links', undefined, { signal }),
      'Cluster.Join': async () => await rpc.call(to, 'Cluster.Join', join3, { signal }),
      'Consensus.RemovePeer': async () => await rpc.call(to, 'Consensus.RemovePeer', other, { signal }),
      'Consensus.DrainPeer': async () => await rpc.call(to, 'Consensus.DrainPeer', { peer: other, isDraining: true }, { signal }),
      'Consensus.TrustPeer': async () => await rpc.call(to, 'Consensus.TrustPeer', { peer: host.self, isTrusted: true }, { signal }),
      'Consensus.TrustedPeers': async () => await rpc.call(to, 'Consensus.TrustedPeers', undefined, { signal }),
      'PinTracker.Status': async () => await rpc.call(to, 'PinTracker.Status', cid, { signal }),
      'PinTracker.StatusAll': async () => await Array.fromAsync(rpc.pull(to, 'PinTracker.StatusAll', [], { signal })),
      'PinTracker.Audit': async () => await Array.fromAsync(rpc.pull(to, 'PinTracker.Audit', { foreign: true }, { signal })),
      'PinTracker.Recover': async () => await rpc.call(to, 'PinTracker.Recover', cid, { signal }),
      'PinTracker.RecoverAll': async () => await Array.fromAsync(rpc.pull(to, 'PinTracker.RecoverAll', undefined, { signal })),
      'PinTracker.Reached': async () => await rpc.call(to, 'PinTracker.Reached', [{ id: 1, outcome: 'held', error: undefined }], { signal }),
      'IpfsConnector.ImportBlocks': async () => await rpc.push(to, 'IpfsConnector.ImportBlocks', once([{ delivery: 'forged', timeoutMs: 0 }, { cid, bytes: Buffer.from('x') }, { roots: [{ cid, name: '' }] }]), { signal }),
      'IpfsConnector.RepoStat': async () => await rpc.call(to, 'IpfsConnector.RepoStat', true, { signal }),
      'IpfsConnector.RepoGc': async () => await Array.fromAsync(rpc.pull(to, 'IpfsConnector.RepoGc', undefined, { signal })),
      'IpfsConnector.SwarmAddresses': async () => await rpc.call(to, 'IpfsConnector.SwarmAddresses', undefined, { signal }),
      'Monitor.Receive': async () => await rpc.call(to, 'Monitor.Receive', [{ name: 'freespace', value: '9'.repeat(40), weight: Infinity, isValid: true, isPartitionable: false, ttlMs: 60_000 }], { signal })
    },
    async forge (lane, as) {
      const stream = await host.open(to, raftProtocol(lane), laneOf[lane], { signal })
      const id = as === 'itself' ? own.nodeId : 4_711
      const hello = {
        version: protocolVersion, lane, clusterId: own.clusterId!, from: { id, incarnation: own.incarnation, name: host.self, address: '' }, boot: own.boot + 1, nonce: 9,
        term: huge, lastIndex: huge, confIndex: huge, to: theirs.nodeId, toIncarnation: theirs.incarnation
      }
      stream.write(encodeFrame(encodeHello(hello)))
      const { value } = await stream.received[Symbol.asyncIterator]().next()
      const [answer] = [...new FrameReader().push(value as Uint8Array)]
      const { kind } = decodeLaneAnswer(answer!)
      if (kind === 'welcome' && lane === 'snapshot') {
        stream.write(encodeFrame(encodeManifest({ meta: { index: huge, term: huge, confState: onlyNode(id) }, bytes: 1, sha256: '0'.repeat(64) })), encodeFrame(Buffer.from('x')))
      } else if (kind === 'welcome') {
        const entry = { ...encodeConfChange({ transition: 'auto', changes: [{ type: 'ConfChangeAddNode', nodeId: id }], context: new Uint8Array(0) }), term: huge, index: huge }
        const snapshot = { meta: { index: huge, term: huge, confState: onlyNode(id) }, data: new Uint8Array(0) }
        const forged = wireTypes.flatMap(type => [0, 1, huge].flatMap(term => [id, theirs.nodeId].map(from =>
          message(type, { from, to: theirs.nodeId, term, index: huge, logTerm: huge, commit: huge, vote: id, rejectHint: huge, context: 1, reject: term === 1, entries: [entry], ...type === 'MsgSnap' && { snapshot } }))))
        stream.write(encodeFrame(encodeMessages(forged, frameTag(hello))))
      }
      return kind === 'welcome' ? 'welcome' : 'refused'
    },
    async [Symbol.asyncDispose] () {
      await rpc[Symbol.asyncDispose]()
      await host[Symbol.asyncDispose]()
    }
  }
}

const onlyNode = (id: number): { readonly voters: readonly number[], readonly votersOutgoing: readonly number[], readonly learners: readonly number[], readonly learnersNext: readonly number[], readonly autoLeave: boolean } =>
  ({ voters: [id], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false })

async function * once<T> (items: readonly T[]): AsyncGenerator<T, void, undefined> { yield * items }
