/** Who becomes a member, who does not, and who is none any more. */
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../cluster/consensus/raft/processes/ports.ts'
import { realDisk } from '../cluster/consensus/raft/disk.ts'
import { inspect } from '../cluster/consensus/raft/tools/inspect.ts'
import { createPeerStore } from '../cluster/state/peer-store.ts'
import { createPinset } from '../cluster/state/pinset.ts'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { addThrough, agreeOnMembers, allocationsOf, heldBy, membersOf, takeOut } from './harness/cluster-asking.ts'
import { eventually } from './harness/eventually.ts'
import { holdingRelay } from './harness/holding-relay.ts'
import { startDaemon } from './harness/kubo.ts'
import { cidOf } from './harness/pins.ts'
import { cleanEnv, daemonSettings, launchPeer, runService } from './harness/process.ts'

t.setTimeout(1_800_000)
const never = { signal: new AbortController().signal }

const cluster = await startCluster(2)
t.teardown(async () => { await cluster[Symbol.asyncDispose]() })
const [first, second] = cluster.peers as [TestPeer, TestPeer]
const join0 = ['--bootstrap', first.address]
await agreeOnMembers([first, second], [first.id, second.id])

t.test('a peer with another secret is not let in, says so in one line, and ends', async t => {
  const { folder, settings } = await cluster.another({ CLUSTER_SECRET: '00'.repeat(32) })
  const stranger = launchPeer(folder, settings, join0)
  t.teardown(() => stranger.child.kill('SIGKILL'))

  await stranger.ended

  t.equal(stranger.child.exitCode, 1)
  t.match(stranger.err(), new RegExp(`^error: the cluster does not take this peer in: its secret \\(cluster.secret, CLUSTER_SECRET\\) is not that of .*${first.id}.*; copy theirs$`, 'm'))
  t.notMatch(stranger.out(), /is ready/)
  t.equal((await membersOf(first)).length, 2, 'and those who are in go on')
  await addThrough(first, 'after a stranger')
})

t.test('a peer that wants to join a cluster of another name is refused with both names', async t => {
  const other = await cluster.another({ CLUSTER_RAFT_CLUSTERNAME: 'another' })

  await t.rejects(other.start(join0), { message: /error: the cluster does not take this peer in: this is the cluster "ipfs-cluster", \w+ wants to join "another" \(consensus.raft.cluster_name\)/ })

  t.equal((await membersOf(first)).length, 2)
})

t.test('a peer whose contacts are not there keeps trying, says so, and serves nothing', async t => {
  const lonely = await cluster.another()
  const port = await freePort()
  const launched = launchPeer(lonely.folder, lonely.settings, ['--bootstrap', `/ip4/127.0.0.1/tcp/${port}`])
  t.teardown(() => launched.child.kill('SIGKILL'))

  await eventually('it says so', () => /waiting for a peer that takes this one in; nothing is served before/.test(launched.err()) && launched.err().includes(String(port)))

  t.notMatch(launched.out(), /is ready/)
  launched.child.kill('SIGINT')
  await launched.ended
  t.equal(launched.child.exitCode, 0, 'and it can be stopped')

  const again = launchPeer(lonely.folder, lonely.settings)
  t.teardown(() => again.child.kill('SIGKILL'))
  await eventually('it says what to do', () => /no other peer is known: .* to found a cluster instead/.test(again.err()))
  t.notMatch(again.out(), /is ready/, 'nor does it found a cluster when it is started without them: somebody may have taken it in')
  again.child.kill('SIGINT')
  await again.ended
})

t.test('two peers on one daemon are refused: they would be one copy', async t => {
  await using daemon = await startDaemon()
  const settings = { ...daemonSettings(daemon), CLUSTER_EMBEDDED_USE: 'never' }
  const [third, fourth] = [await cluster.another(settings), await cluster.another(settings)]
  await third.start(join0)
  const { id } = third

  await t.rejects(fourth.start(join0), { message: new RegExp(`has the same IPFS daemon \\(\\w+\\) as the member ${id}: each peer needs one of its own`) })

  t.ok(await agreeOnMembers([first, second], [first.id, second.id, id]))
  t.ok(await takeOut(first, id))
  t.ok(await agreeOnMembers([first, second], [first.id, second.id]))
})

t.test('a member whose folder was emptied is refused until it is removed, and then joins anew', async t => {
  const third = await cluster.another()
  await third.start(join0)
  const { id } = third
  await third.kill()
  await rm(join(third.folder, 'state'), { recursive: true })

  await t.rejects(third.start(join0), { message: new RegExp(`${id} is a member with another folder. If that is lost, remove the member first: ipfs-cluster-ctl peers rm ${id}`) })
  await t.rejects(third.start(), { message: /remove the member first/ }, 'without --bootstrap it does not found a cluster of its own')
  t.ok(await takeOut(first, id))
  await third.start(join0)

  t.strictSame(await allocationsOf(third), await allocationsOf(first))
  t.ok(await agreeOnMembers([first, second, third], [first.id, second.id, id]))
  await third.stop()
  t.ok(await takeOut(first, id))
})

t.test('a peer that is killed in the middle of the copy goes on from there when it is started again, as the same member, and votes with an equal pinset', async t => {
  const apart = { CLUSTER_SECRET: 'ab'.repeat(32), CLUSTER_DISABLEREPINNING: 'true', CLUSTER_RAFT_SNAPSHOTTHRESHOLD: '1', CLUSTER_RAFT_TRAILINGLOGS: '1' }
  const port = await freePort()
  await using relay = await holdingRelay(port, 1 << 20)
  const founder = await cluster.another(apart)
  const joiner = await cluster.another({ ...apart, CLUSTER_LISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${port}`, CLUSTER_ANNOUNCEMULTIADDRESS: `/ip4/127.0.0.1/tcp/${relay.port}` })
  const pins = Array.from({ length: 5_000 }, (_, i) => JSON.stringify({
    cid: cidOf(i).toString(), name: `${i} `.repeat(60), replication_factor_min: 1, replication_factor_max: 1, max_depth: -1, type: 'pin', allocations: [first.id] // who is nobody there, so no daemon is asked for any
  }))
  await runService(['--config', founder.folder, 'init'], cleanEnv(founder.settings))
  t.match(await runService(['--config', founder.folder, 'state', 'import'], cleanEnv(founder.settings), pins.join('\n')), { out: '5000 pins imported\n' })
  await founder.start()
  const launched = launchPeer(joiner.folder, joiner.settings, ['--bootstrap', founder.address])
  t.teardown(() => launched.child.kill('SIGKILL'))

  await relay.holds
  await eventually('a part of it is on disk', async () => (await readdir(join(joiner.folder, 'state/raft/snapshots'))).some(name => name.endsWith('.part')))
  await addThrough(founder, 'nobody waits for one that copies')
  t.strictSame(await membersOf(founder), [founder.id])
  launched.child.kill('SIGKILL')
  await launched.ended
  const before = await engineIn(joiner)
  relay.release()
  await joiner.start()

  const { id } = joiner
  t.match([before.base, before.snapshots], [{ index: 0 }, { length: 0 }], 'it had nothing yet when it was killed')
  t.ok(await agreeOnMembers([founder, joiner], [founder.id, id]))
  await addThrough(joiner, 'from the one that was cut off')
  for (const peer of [joiner, founder]) t.equal((await peer.stop()).code, 0)
  const [after, ofFounder] = [await engineIn(joiner), await engineIn(founder)]
  t.strictSame({ ...after.identity, boot: 1 }, before.identity, 'it is the same member')
  t.ok(votersIn(ofFounder).includes(before.identity.nodeId), 'which votes')
  const [here, there] = await Promise.all([joiner, founder].map(async ({ folder }) => await pinsetIn(folder)))
  t.strictSame(here, there)
  t.match(here, { count: 5_002 })
})

interface EngineFolder {
  readonly identity: { readonly nodeId: number, readonly boot: number }
  readonly base: { readonly index: number, readonly confState: { readonly voters: readonly number[] } }
  readonly snapshots: readonly unknown[]
  readonly entries: readonly { readonly changes?: readonly { readonly type: string, readonly nodeId: number }[] }[]
}

/** Of a peer that does not run. */
async function engineIn ({ folder }: TestPeer): Promise<EngineFolder> {
  return await inspect(realDisk, join(folder, 'state/raft'), { limit: 100 }) as EngineFolder
}

function votersIn ({ base, entries }: EngineFolder): readonly number[] {
  return [...base.confState.voters, ...entries.flatMap(({ changes = [] }) => changes).filter(({ type }) => type === 'ConfChangeAddNode').map(({ nodeId }) => nodeId)]
}

async function pinsetIn (folder: string): Promise<{ readonly digest: bigint, readonly count: number }> {
  await using running = new AsyncDisposableStack()
  const store = running.use(createPeerStore({ folder: join(folder, 'state') }))
  await store.start(never)
  const state = createPinset({ store })
  return { digest: state.digest(), count: (await Array.fromAsync(state.list(never))).length }
}

t.test('a copy of a member\'s folder does not become a second member, whether it has the same identity or one of its own', async t => {
  const copy = await cluster.another()
  await second.stop()
  await cp(second.folder, copy.folder, { recursive: true })
  await second.start()
  const same = launchPeer(copy.folder, copy.settings, join0)
  t.teardown(() => same.child.kill('SIGKILL'))
  await same.ended
  await rm(join(copy.folder, 'identity.json'))

  t.equal(same.child.exitCode, 70)
  t.match(same.err(), /another member refuses this peer: two processes run on copies of one folder/)
  await t.rejects(copy.start(join0), { message: new RegExp(`this state is a copy of the one of ${second.id}, and this peer is \\w+: put it aside`) })
  t.equal((await membersOf(first)).length, 2)
  await addThrough(second, 'the true one goes on')
})

t.test('a peer that is removed notices, stops, and says what to do to come back', async t => {
  const third = await cluster.another()
  await third.start(join0)
  const { id, process } = third
  await agreeOnMembers([first, second], [first.id, second.id, id])
  const ended = new Promise<void>(resolve => process.child.once('close', () => resolve()))

  t.equal((await fetch(`${second.rest}/peers/${id}`, { method: 'DELETE' })).status, 204)
  await ended

  t.match(process.err(), /this peer was removed from the cluster. To join again/)
  await t.rejects(third.start(join0), { message: /this peer was removed from the cluster. To join again/ })
  t.match(await runService(['--config', third.folder, '--force', 'state', 'cleanup'], cleanEnv(third.settings)), { code: 0 })
  await third.start(join0)
  t.ok(await agreeOnMembers([first, second], [first.id, second.id, id]))
  const cid = await addThrough(third, 'from one that came back')
  t.ok((await heldBy([third], cid)).length === 1)
  await third.stop()
  t.ok(await takeOut(second, id))
})

t.test('a peer with --leave leaves when it is stopped, and the others go on', async t => {
  const third = await cluster.another()
  await third.start([...join0, '--leave'])
  t.ok(await agreeOnMembers([first, second], [first.id, second.id, third.id]))

  t.match(await third.stop(), { code: 0, err: /left the cluster/ })

  t.ok(await agreeOnMembers([first, second], [first.id, second.id]))
  await addThrough(first, 'after one has left')
})
