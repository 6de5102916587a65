import t from 'tap'
import type { Test } from 'tap'
import { FakeClock, systemClock } from '../../clock.ts'
import type { PeerStreams } from '../../peer-ports.ts'
import { testHost } from '../../peers/testing/hosts.ts'
import type { Host } from '../../peers/host.ts'
import { encodeFrame } from './frame.ts'
import { encodeHello, protocolVersion } from './handshake.ts'
import { openLogStorage } from './log-storage.ts'
import type { Member } from './members.ts'
import { createRaftNode } from './node.ts'
import { openPeerMemory } from './peer-memory.ts'
import { raftProtocol } from './peer-transport-lane.ts'
import { addressText } from './addresses.ts'
import { createPeerTransport } from './peer-transport.ts'
import { createRegisterMachine, decodeAnswer, encodeWrite } from './processes/register-machine.ts'
import type { RaftNode, RaftNodeConfig } from './raft-node.ts'
import { foundCluster } from './recovery.ts'
import { CrashDisk } from './testing/crash-disk.ts'

const signal = AbortSignal.timeout(240_000)

interface Peer { readonly node: RaftNode, readonly host: Host, readonly member: Member, value (key: string): number, stop (): Promise<void> }

/** A peer as it is in production, but for its disk: a host, the transport over it, a node. */
async function startPeer (t: Test, id: number, { found = false, config = {} }: { found?: boolean, config?: RaftNodeConfig } = {}): Promise<Peer> {
  const host = testHost()
  const disk = new CrashDisk()
  const storage = await openLogStorage({ folder: '/raft', disk, clock: new FakeClock(), nodeId: id, segmentBytes: 256 * 1_024 })
  const machine = createRegisterMachine()
  let node: RaftNode | undefined
  const transport = createPeerTransport({
    streams: host, storage, memory: await openPeerMemory(disk, '/raft'), addresses: () => host.addresses(), clock: systemClock,
    confIndex: () => node?.bookkeeping().confIndex ?? 0, acknowledged: peer => node?.acknowledged(peer) ?? 0, log: () => {}
  })
  await host.start({ signal })
  const address = addressText(host.addresses())
  if (found) await foundCluster(storage, 'test', { name: host.self, address })
  node = createRaftNode({ storage, machine, transport, folder: '/raft', disk }, { tickMs: 20, electionTicks: 10, seed: id, ...config })
  await node.start()
  const stop = async (): Promise<void> => {
    await node![Symbol.asyncDispose]()
    await host[Symbol.asyncDispose]()
  }
  t.teardown(stop)
  return { node, host, stop, value: key => machine.get(key), member: { id, incarnation: storage.identity.incarnation, name: host.self, address } }
}

async function add ({ node }: Peer, key: string): Promise<number> {
  return decodeAnswer((await node.propose(encodeWrite(key, { kind: 'add', value: 1 }), { signal })).answer)
}

async function until (holds: () => boolean): Promise<void> {
  while (!holds()) {
    signal.throwIfAborted()
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Three voters, the first leading; each knows only the first one's address to begin with. */
async function startThree (t: Test, config: RaftNodeConfig = {}): Promise<readonly [Peer, Peer, Peer]> {
  const first = await startPeer(t, 1, { found: true, config })
  await until(() => first.node.status().role === 'leader')
  const [second, third] = [await startPeer(t, 2, { config }), await startPeer(t, 3, { config })]
  for (const { member } of [second, third]) await first.node.membership.add(member, { signal, asLearner: false })
  return [first, second, third]
}

t.test('three peers agree, whoever of them is asked', async t => {
  const peers = await startThree(t)

  for (const peer of peers) await add(peer, 'k')
  await until(() => peers.every(({ value }) => value('k') === 3))

  t.strictSame(peers[0].node.status().connections.map(({ connected, refused }) => [connected, refused]), [[true, undefined], [true, undefined]])
})

t.test('the status says how long each peer takes to answer, whoever leads', async t => {
  const peers = await startThree(t)

  await until(() => peers.every(({ node }) => node.status().connections.some(({ roundTripMs }) => roundTripMs !== undefined)))
  const { roundTripMs } = peers[0].node.status().connections[0]!

  t.ok(roundTripMs !== undefined && roundTripMs > 0 && roundTripMs < 10_000)
})

t.test('when the peer dies through which the others came in, those go on: the membership told them of each other', async t => {
  const [first, second, third] = await startThree(t)
  await add(first, 'k')
  await until(() => [second, third].every(({ value }) => value('k') === 1))

  await first.stop()
  await until(() => [second, third].some(({ node }) => node.status().role === 'leader'))
  const asked = second.node.status().role === 'leader' ? third : second
  const counted = await add(asked, 'k')

  t.equal(counted, 2)
})

t.test('a peer that comes late is brought up to date by a snapshot', async t => {
  const config: RaftNodeConfig = { snapshots: { thresholdEntries: 50, trailingEntries: 5 } }
  const first = await startPeer(t, 1, { found: true, config })
  await until(() => first.node.status().role === 'leader')
  for (let i = 0; first.node.status().firstIndex < 20; i++) await add(first, `key-${i}`)

  const late = await startPeer(t, 2, { config })
  await first.node.membership.add(late.member, { signal, asLearner: false })
  await until(() => late.node.status().applied >= first.node.status().applied)

  t.equal(late.value('key-0'), 1)
})

t.test('who knows the secret but is somebody else gets no frame in', async t => {
  const [first, second] = [await startPeer(t, 1, { found: true }), testHost()]
  await second.start({ signal })
  t.teardown(async () => { await second[Symbol.asyncDispose]() })
  second.learn(first.host.self, first.host.addresses())
  const claim = async (name: string): Promise<string> => {
    const stream = await (second as PeerStreams).open(first.host.self, raftProtocol('append'), 'log', { signal })
    stream.write(encodeFrame(encodeHello({
      version: protocolVersion, lane: 'append', clusterId: 'test', from: { id: 1, incarnation: first.member.incarnation, name, address: '' }, boot: 9, nonce: 9,
      term: 9, lastIndex: 99, confIndex: 99, to: 1, toIncarnation: first.member.incarnation
    })))
    let said = ''
    try { for await (const bytes of stream.received) { said += String(bytes); if (said.includes('incarnation')) return 'refused' } } catch {}
    return 'cut off'
  }

  t.equal(await claim(first.host.self), 'cut off', 'the name of another')
  t.equal(await claim(second.self), 'refused', 'the number of another')
})
