/** Who is let into a cluster, who is told from a member, and what is said to whom is not. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { freePort } from '../cluster/consensus/raft/processes/ports.ts'
import type { PeerId } from '../cluster/api/pin.ts'
import { createIdentity, writeIdentity } from '../cluster/config/identity.ts'
import type { Identity } from '../cluster/config/identity.ts'
import type { RpcMethod } from '../cluster/peer-ports.ts'
import { wideCar } from './harness/cars.ts'
import { inlineCidOf } from './harness/pins.ts'
import { rpc, rpcResponse } from './harness/rpc.ts'
import type { Uploaded } from './harness/rpc.ts'
import { attackFrom } from './harness/store-only-attack.ts'
import { startCluster } from './harness/cluster.ts'
import type { PeerSettings, TestPeer } from './harness/cluster.ts'
import { addThrough, agreeOnMembers, allocationsOf, heldBy, membersOf, pinnedOn, takeOut } from './harness/cluster-asking.ts'
import { eventually } from './harness/eventually.ts'
import { cleanEnv, launchPeer, runCtl, runService } from './harness/process.ts'
import type { LaunchedPeer } from './harness/process.ts'

t.setTimeout(1_800_000)
/** A busy machine takes long; what is wrong would never be so. */
const patience = { timeoutMs: 120_000 }

const cluster = await startCluster(2)
t.teardown(async () => { await cluster[Symbol.asyncDispose]() })
const [first, second] = cluster.peers as [TestPeer, TestPeer]

/** Ended with the test at the latest. */
function launch (t: Test, { folder, settings }: Pick<TestPeer, 'folder' | 'settings'>, args: readonly string[] = []): LaunchedPeer {
  const launched = launchPeer(folder, settings, args)
  t.teardown(() => launched.child.kill('SIGKILL'))
  return launched
}

/** A peer that is not started, whose identity is known before. */
async function withIdentity (identity: Identity, settings: PeerSettings): Promise<TestPeer> {
  const peer = await cluster.another(settings)
  await mkdir(peer.folder)
  await writeFile(join(peer.folder, 'identity.json'), writeIdentity(identity), { mode: 0o600 })
  return peer
}

t.test('a peer without a secret, or with one that is none, is refused at the start, and told how to make one', async t => {
  const { folder, settings } = await cluster.another()
  await runService(['--config', folder, 'init'], cleanEnv(settings))
  const file = join(folder, 'service.json')
  const written = JSON.parse(await readFile(file, 'utf8')) as { cluster: { secret: string } }
  const without = { ...settings, CLUSTER_SECRET: '' }

  for (const [secret, said] of [['', /^error: cluster.secret: expected 64 hexadecimal digits; make them with: openssl rand -hex 32$/m], ['abc', /^error: .*service.json: cluster.secret: expected 64 hexadecimal digits$/m]] as const) {
    await writeFile(file, JSON.stringify({ ...written, cluster: { ...written.cluster, secret } }))

    t.match(await runService(['--config', folder, 'daemon'], cleanEnv(without)), { code: 1, err: said })
  }
  t.match(await runService(['--config', folder, 'daemon'], cleanEnv({ ...settings, CLUSTER_SECRET: 'zz'.repeat(32) })), { code: 1, err: /cluster.secret: expected 64 hexadecimal digits/ })
})

t.test('peers that found a cluster together (init --peers) are one cluster, whoever comes first, and stay it when the founder has lost its folder', async t => {
  const identities = Array.from({ length: 3 }, () => createIdentity()).sort((a, b) => a.id < b.id ? -1 : 1)
  const ports = await Promise.all(identities.map(async () => await freePort()))
  const addresses = identities.map(({ id }, i) => `/ip4/127.0.0.1/tcp/${ports[i]}/p2p/${id}`)
  const peers = await Promise.all(identities.map(async (identity, i) => {
    const peer = await withIdentity(identity, { CLUSTER_LISTENMULTIADDRESS: `/ip4/127.0.0.1/tcp/${ports[i]}` })
    await runService(['--config', peer.folder, 'init', '--peers', addresses.toSpliced(i, 1).join(',')], cleanEnv(peer.settings))
    return peer
  }))
  const [founder, ...others] = peers as [TestPeer, ...TestPeer[]]

  await Promise.all([...others, founder].map(async peer => { await peer.start() }))

  t.ok(await agreeOnMembers(peers, identities.map(({ id }) => id)))
  const cid = await addThrough(others[0]!, 'founded together')
  await founder.kill()
  await runService(['--config', founder.folder, '--force', 'state', 'cleanup'], cleanEnv(founder.settings))
  await t.rejects(founder.start(), { message: new RegExp(`${identities[0]!.id} is a member with another folder`) })
  t.ok(await eventually('the other has the pin', async () => (await allocationsOf(others[1]!)).has(cid), patience))
  await Promise.all(others.map(async peer => { await peer.kill() }))
})

t.test('a second process with a member\'s identity is not let in, says what to do, and harms nothing', async t => {
  const stolen = await readFile(join(second.folder, 'identity.json'), 'utf8')
  const [twin, alone] = [await cluster.another(), await cluster.another()]
  for (const { folder } of [twin, alone]) {
    await mkdir(folder)
    await writeFile(join(folder, 'identity.json'), stolen, { mode: 0o600 })
  }

  const [asTwin, asItself] = [launch(t, twin, ['--bootstrap', first.address]), launch(t, alone, ['--bootstrap', second.address])]
  await Promise.all([asTwin.ended, asItself.ended])

  t.match(asTwin, { child: { exitCode: 1 } })
  t.match(asTwin.err(), new RegExp(`^error: .*${second.id} is a member with another folder.* If the member still runs, this peer was given its identity.json, and needs one of its own`, 'm'))
  t.match(asItself, { child: { exitCode: 1 } })
  t.match(asItself.err(), /^error: there is nobody to join: .* leads to this peer itself .*the two were given the same identity.json/m)
  const cid = await addThrough(first, 'after a twin')
  await eventually('the true one holds what is pinned', async () => (await heldBy([second], cid)).length === 1, patience)
  t.ok(await pinnedOn(first, cid, [second]))
})

t.test('a peer whose clock is ten minutes off is heard of as the others are, and its pins last as long as theirs', async t => {
  const ahead = 'const now = Date.now; Date.now = () => now() + 600000'
  const third = await cluster.another({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ahead)}` })
  await third.start(['--bootstrap', first.address])
  const heardOf = async ({ rest }: TestPeer): Promise<readonly string[]> => (await (await fetch(`${rest}/monitor/metrics/ping`)).json() as { peer: string, valid: boolean }[]).map(({ peer }) => peer).sort()
  const all = [first.id, second.id, third.id].sort()

  for (const peer of [first, second, third]) await eventually('each hears all', async () => String(await heardOf(peer)) === String(all), patience)
  const cid = await addThrough(third, 'from the future')

  for (const peer of [first, third]) t.ok(await pinnedOn(peer, cid, [first, second, third]))
  const { id } = third
  await third.kill()
  await eventually('its silence is noticed in seconds, not after ten minutes', async () => !(await heardOf(first)).includes(id), patience)
  t.ok(await takeOut(first, id))
})

t.test('a peer whose machine gets another address while it runs is known by it to the others', async t => {
  const third = await cluster.another()
  const another = `${third.folder}-has-another`
  const interfaces = `import os from 'node:os'
    import { existsSync } from 'node:fs'
    const real = os.networkInterfaces
    os.networkInterfaces = () => ({ ...real(), ...existsSync(${JSON.stringify(another)}) && { another: [{ address: '127.0.0.2', family: 'IPv4' }] } })`
  const everywhere = third.settings['CLUSTER_LISTENMULTIADDRESS']!.replace('127.0.0.1', '0.0.0.0')
  await third.start(['--bootstrap', first.address], { CLUSTER_LISTENMULTIADDRESS: everywhere, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(interfaces)}` })
  const { id } = third

  await writeFile(another, '')

  const known = async ({ rest }: TestPeer): Promise<string> => await (await fetch(`${rest}/id`)).text()
  for (const peer of [first, second]) await eventually('it is known', async () => (await known(peer)).includes(`${everywhere.replace('0.0.0.0', '127.0.0.2')}/p2p/${id}`), patience)
  await eventually('it is in the file for the next start', async () => (await readFile(join(second.folder, 'peerstore'), 'utf8')).includes('/ip4/127.0.0.2/'), patience)
  await third.kill()
  t.ok(await takeOut(first, id))
})

t.test('a stranger at the address of a member is not taken for it, and the member is found where it is now', async t => {
  const { CLUSTER_LISTENMULTIADDRESS: address } = second.settings
  await second.kill()
  const thief = await cluster.another({ CLUSTER_LISTENMULTIADDRESS: address!, CLUSTER_RAFT_CLUSTERNAME: 'another' })
  await thief.start()

  await second.start([], { CLUSTER_LISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/0' })
  const cid = await addThrough(first, 'while a stranger is at the old address')

  await eventually('the member holds it', async () => (await heldBy([second], cid)).length === 1, patience)
  t.notOk((await allocationsOf(thief)).has(cid))
  t.strictSame([...await membersOf(first)].sort(), [first.id, second.id].sort())
  await eventually('its new address is in the file for the next start', async () => (await readFile(join(first.folder, 'peerstore'), 'utf8')).includes(second.address), patience)
  await thief.kill()
})

/** What each method is to answer a member that only stores; complete by type. */
const ofStorers = {
  'Cluster.Id': 'may', 'Cluster.Links': 'may', 'Cluster.Join': 'refused', 'Consensus.RemovePeer': 'refused', 'Consensus.DrainPeer': 'refused', 'Consensus.TrustPeer': 'refused',
  'Consensus.TrustedPeers': 'may', 'PinTracker.Status': 'may', 'PinTracker.StatusAll': 'may', 'PinTracker.Audit': 'may', 'PinTracker.Recover': 'may', 'PinTracker.RecoverAll': 'may', 'PinTracker.Reached': 'may',
  'IpfsConnector.ImportBlocks': 'refused', 'IpfsConnector.RepoStat': 'may', 'IpfsConnector.RepoGc': 'refused', 'IpfsConnector.SwarmAddresses': 'may', 'Monitor.Receive': 'either'
} as const satisfies Record<RpcMethod, 'may' | 'refused' | 'either'>

/** What is asked of a proxy that would change the pinset; `one` and `other` are pinned. */
const proxied = (one: string, other: string): Readonly<Record<string, readonly Uploaded[]>> => ({
  [`pin/add?arg=${one}`]: [], [`pin/add?arg=${inlineCidOf('new').toString()}`]: [], [`pin/rm?arg=${other}`]: [], [`pin/update?arg=${one}&arg=${other}`]: [],
  'add?cid-version=1': [{ name: 'file', content: 'not through this one' }],
  'dag/import': [{ name: 'car', content: Buffer.concat(wideCar(3, 'not through this one').pieces) }],
  'block/put?pin=true': [{ name: 'block', content: 'not through this one' }],
  'dag/put?pin=true': [{ name: 'node', content: '{"not":"through this one"}' }]
})

/** What is asked of the REST API. */
const asked = (one: string, other: string, self: string, writer: string): readonly (readonly [method: string, path: string])[] => [
  ['POST', `pins/${one}`], ['POST', `pins/${inlineCidOf('new').toString()}`], ['POST', `pins/ipfs/${one}`], ['DELETE', `pins/${other}`], ['DELETE', `pins/ipfs/${other}`],
  ['POST', 'add'], ['POST', 'rebalance'], ['DELETE', `peers/${writer}`], ['POST', `peers/${writer}/drain`], ['DELETE', `peers/${writer}/drain`], ['POST', `peers/${self}/trust`], ['DELETE', `peers/${writer}/trust`]
]

/** What an operator asks. */
const commanded = (one: string, other: string, self: string, writer: string, file: string): readonly (readonly string[])[] => [
  ['pin', 'add', inlineCidOf('new').toString()], ['pin', 'rm', other], ['pin', 'update', one, other], ['add', file], ['rebalance'],
  ['peers', 'rm', writer], ['peers', 'drain', writer], ['peers', 'drain', '--stop', writer], ['peers', 'trust', self], ['peers', 'untrust', writer]
]

const ctl = async ({ rest }: TestPeer, args: readonly string[]): Promise<readonly [code: number | null, said: string]> => {
  const { code, out, err } = await runCtl(['--host', `/ip4/127.0.0.1/tcp/${new URL(rest).port}`, ...args])
  return [code, out + err]
}

/** All that is to be pinned, as the pinset of that peer has it. */
const pinsetOf = async ({ rest }: TestPeer): Promise<string> => (await (await fetch(`${rest}/allocations`)).text()).split('\n').sort().join('\n')

t.test('a member that is not trusted any more stores, changes nothing through any door, and nothing by force; trusted again it votes', async t => {
  const third = await cluster.another({ CLUSTER_IPFSPROXY_PINMFSROOT: 'true' })
  await third.start(['--bootstrap', first.address])
  const { id } = third
  const before = await addThrough(third, 'while it is trusted')
  const trusted = async ({ rest }: TestPeer): Promise<readonly string[]> => (await (await fetch(`${rest}/peers/trusted`)).json() as { peers: string[] }).peers.toSorted()
  const writers = [first.id, second.id].sort()
  const trust = async (method: 'POST' | 'DELETE', peer: string, through = first): Promise<void> => {
    await eventually(`${method} ${peer} is agreed on`, async () => (await fetch(`${through.rest}/peers/${peer}/trust`, { method })).ok, patience)
  }

  await trust('DELETE', id)
  t.strictSame(await trusted(first), writers)
  await eventually('it knows itself', async () => String(await trusted(third)) === String(writers), patience)

  const cid = await addThrough(first, 'stored by one that only stores')
  await eventually('it holds what others pin', async () => (await heldBy([third], cid)).length === 1, patience)
  await eventually('it reads the pinset', async () => (await allocationsOf(third)).has(cid), patience)
  const said = new RegExp(`only stores.*ask one that may: .*${first.id}`)
  await t.rejects(addThrough(third, 'not through this one'), { message: said })
  const pinset = await pinsetOf(first)
  for (const [command, files] of Object.entries(proxied(before, cid))) {
    const response = await rpcResponse(third.proxy, command, files)
    t.match([response.status, await response.json()], [500, { Message: said, Code: 0, Type: 'error' }], command)
  }
  for (const [method, path] of asked(before, cid, id, second.id)) {
    const form = new FormData()
    form.append('file', new Blob(['not through this one']), 'file')
    const response = await fetch(`${third.rest}/${path}`, { method, ...path === 'add' && { body: form } })
    t.match([response.status, await response.json()], [403, { code: 403, message: said }], `${method} ${path}`)
  }
  const file = `${third.folder}-file`
  await writeFile(file, 'not through this one')
  await Promise.all(commanded(before, cid, id, second.id, file).map(async args => { t.match(await ctl(third, args), [2, said], args.join(' ')) }))
  const pins = JSON.stringify({ cid: inlineCidOf('imported').toString(), name: '', replication_factor_min: -1, replication_factor_max: -1, max_depth: -1, type: 'pin', allocations: [] })
  for (const args of [['state', 'import'], ['state', 'cleanup']]) {
    t.match(await runService(['--config', third.folder, '--force', ...args], cleanEnv(third.settings), pins), { code: 1, err: said }, args.join(' '))
  }
  await rpc(third.proxy, 'files/write?arg=/a&create=true', [{ name: 'data', content: 'of its daemon alone' }])
  t.ok(await eventually('the root of its files is not pinned', () => /the root of the files could not be pinned.*only stores/.test(third.process.err()), patience))
  t.equal(await pinsetOf(first), pinset, 'nothing of that has changed a pin')
  t.ok((await rpcResponse(third.proxy, `block/stat?arg=${cid}`)).ok, 'its daemon serves')

  await trust('POST', id)
  await eventually('it may write again', async () => (await trusted(third)).includes(id), patience)
  await eventually('it writes again', async () => await addThrough(third, 'trusted again').then(() => true, () => false), patience)
  await trust('DELETE', first.id, second) // the one that leads hands over
  await trust('POST', first.id, second)
  await trust('DELETE', id, second)
  await rpc(third.daemon, `pin/add?arg=${inlineCidOf('of its daemon alone').toString()}`)
  await eventually('it knows itself again', async () => String(await trusted(third)) === String(writers), patience)
  await third.kill()
  t.match(await runService(['--config', third.folder, 'state', 'adopt'], cleanEnv(third.settings)), { code: 1, err: said })
  const copy = { folder: `${third.folder}-copy`, settings: third.settings }
  await cp(third.folder, copy.folder, { recursive: true, filter: path => !path.endsWith('.sock') })
  t.match(await runService(['--config', copy.folder, '--force', 'state', 'import'], cleanEnv(copy.settings), pins), { code: 0 })
  const pretender = launch(t, copy) // a member's identity, with a pinset of its own
  await eventually('it runs, or has ended', () => pretender.out().includes('\ntry\n') || pretender.child.exitCode !== null, patience)
  pretender.child.kill('SIGKILL')
  await pretender.ended
  await eventually('all know of it', async () => String(await trusted(first)) === String(writers), patience)
  const members = (await membersOf(first)).toSorted()
  await using attacker = await attackFrom(third, { folder: first.folder, id: first.id, address: first.address }, second.id as PeerId)
  for (const [method, verdict] of Object.entries(ofStorers)) {
    const outcome = await attacker.calls[method as RpcMethod]().then(() => 'may', (err: Error) => /only stores|may not call|may change the peerset/.test(err.message) ? 'refused' : `failed: ${err.message}`)
    if (verdict !== 'either') t.equal(outcome, verdict, method)
  }
  for (const as of ['itself', 'a stranger'] as const) {
    for (const lane of ['control', 'append', 'snapshot'] as const) t.equal(await attacker.forge(lane, as), as === 'itself' ? 'welcome' : 'refused', `${lane} as ${as}`)
  }
  await attacker[Symbol.asyncDispose]()
  await eventually('the cluster goes on', async () => await addThrough(second, 'after the attack').then(() => true, () => false), patience)
  t.ok((await allocationsOf(second)).has(cid))
  t.strictSame((await membersOf(first)).toSorted(), members)
  t.strictSame(await trusted(first), writers)
  for (const text of ['imported', 'of its daemon alone']) t.notOk((await allocationsOf(second)).has(inlineCidOf(text).toString()), text)

  t.ok(await takeOut(first, id))
})

t.test('the last peer that may change the pinset can be neither untrusted nor taken out, whoever asks', async t => {
  const trustOf = async (method: 'POST' | 'DELETE'): Promise<unknown> => await eventually(`${method} is agreed on`, async () => (await fetch(`${first.rest}/peers/${second.id}/trust`, { method })).ok, patience)
  await trustOf('DELETE')
  const said = new RegExp(`${first.id} is the only peer that may change the pinset[:;] trust another one first`)

  for (const path of [`peers/${first.id}/trust`, `peers/${first.id}`]) {
    const response = await fetch(`${first.rest}/${path}`, { method: 'DELETE' })
    t.match([response.status, await response.json()], [400, { code: 400, message: said }], path)
  }
  for (const command of ['untrust', 'rm']) t.match(await ctl(first, ['peers', command, first.id]), [2, said], command)

  await trustOf('POST')
  t.ok(await eventually('the other may write again', async () => await addThrough(second, 'after the last writer').then(() => true, () => false), patience))
})
