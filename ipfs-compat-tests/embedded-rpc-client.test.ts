/** Each command of the embedded daemon as kubo-rpc-client calls it; those that the client has no method for are called plainly. */
import { create } from 'kubo-rpc-client'
import { CID } from 'multiformats/cid'
import t from 'tap'
import { chainCar } from './harness/cars.ts'
import { startDaemon } from './harness/kubo.ts'
import { rpc, rpcLines } from './harness/rpc.ts'

const empty = CID.parse('QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn')
const bytesOf = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> => Buffer.concat(await Array.fromAsync(pieces))
const textOf = async (pieces: AsyncIterable<Uint8Array>): Promise<string> => (await bytesOf(pieces)).toString()
async function * piecewise (pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> { yield * pieces }

t.test('every command answers kubo-rpc-client', async t => {
  await using daemon = await startDaemon({}, 'embedded')
  await using other = await startDaemon({}, 'embedded')
  const ipfs = create({ url: `http://${daemon.host}:${daemon.port}` })
  const peer = await create({ url: `http://${other.host}:${other.port}` }).id()

  await t.test('id, version, commands, config/show, bootstrap/list', async t => {
    t.match(await ipfs.id(), { agentVersion: /^kubo\/.*-emb$/ })
    t.match(await ipfs.version(), { version: daemon.values.VERSION })
    t.match(await ipfs.commands(), { Name: 'ipfs' })
    t.match(await ipfs.config.getAll(), { Identity: { PeerID: daemon.values.PEER_ID } })
    t.strictSame((await ipfs.bootstrap.list()).Peers, [])
  })

  await t.test('add, cat, get, ls, refs, refs/local, resolve', async t => {
    const added = await Array.fromAsync(ipfs.addAll([{ path: 'd/a', content: 'first' }, { path: 'd/b', content: 'second' }]))
    const [a, , directory] = added.map(({ cid }) => cid)

    t.equal(await textOf(ipfs.cat(`${directory!.toString()}/b`, { offset: 1, length: 3 })), 'eco')
    t.match((await bytesOf(ipfs.get(a!))).toString('latin1'), /first/)
    t.match(await Array.fromAsync(ipfs.ls(directory!)), [{ name: 'a', type: 'file', size: 5 }, { name: 'b', type: 'file', size: 6 }])
    t.strictSame(await Array.fromAsync(ipfs.refs(directory!), ({ ref }) => ref), added.slice(0, 2).map(({ cid }) => cid.toString()))
    t.ok((await Array.fromAsync(ipfs.refs.local())).length > 3)
    t.equal(await ipfs.resolve(`/ipfs/${directory!.toString()}/a`), `/ipfs/${a!.toString()}`)
  })

  await t.test('block/put, block/get, block/stat, block/rm', async t => {
    const cid = await ipfs.block.put(Buffer.from('a block'))

    t.equal(Buffer.from(await ipfs.block.get(cid)).toString(), 'a block')
    t.match(await ipfs.block.stat(cid), { size: 7 })
    t.match(await Array.fromAsync(ipfs.block.rm(cid)), [{ cid }])
  })

  await t.test('dag/put, dag/get, dag/import, dag/export, dag/resolve, dag/stat', async t => {
    const node = await ipfs.dag.put({ a: { link: empty } })
    const { root, pieces } = chainCar(3)

    t.match((await ipfs.dag.get(node, { path: 'a' })).value, { link: empty })
    t.match(await Array.fromAsync(ipfs.dag.import(piecewise(pieces))), [{ root: { cid: CID.parse(root), pinErrorMsg: '' } }])
    t.ok((await bytesOf(ipfs.dag.export(CID.parse(root)))).length > 100)
    t.match(await ipfs.dag.resolve(node, { path: 'a/link' }), { cid: empty })
    t.match(await rpcLines(daemon, `dag/stat?arg=${root}&progress=false`), [{ UniqueBlocks: 3 }])
  })

  await t.test('pin/add, pin/ls, pin/update, pin/rm, pin/verify', async t => {
    const [from, to] = await Array.fromAsync(ipfs.addAll(['before', 'after'], { pin: false }), ({ cid }) => cid)

    t.match(await ipfs.pin.add(from!, { name: 'named' }), from)
    t.match(await ipfs.pin.update(from!, to!), [from, to])
    t.match(await Array.fromAsync(ipfs.pin.ls({ paths: to!, names: true })), [{ cid: to, type: 'recursive', name: 'named' }])
    t.match(await ipfs.pin.rm(to!), to)
    t.equal(await rpc(daemon, 'pin/verify'), '')
  })

  await t.test('repo/stat, repo/gc, repo/version, repo/verify', async t => {
    const { cid } = await ipfs.add('to be collected', { pin: false, cidVersion: 1 })

    t.type((await ipfs.repo.stat()).numObjects, 'bigint')
    t.ok((await Array.fromAsync(ipfs.repo.gc())).some(({ cid: gone }) => gone?.equals(cid)))
    t.match(await ipfs.repo.version(), /^\d+$/)
    t.match(await rpc(daemon, 'repo/verify'), /all blocks validated/)
  })

  await t.test('swarm/connect, swarm/peers, swarm/addrs, swarm/peering, swarm/disconnect, bitswap/stat, bitswap/wantlist', async t => {
    const [address] = peer.addresses
    await ipfs.swarm.connect(address!)
    await rpc(daemon, `swarm/peering/add?arg=${address!.toString()}`)

    t.match(await ipfs.swarm.peers(), [{ peer: peer.id }])
    t.match((await ipfs.swarm.addrs()).map(({ id }) => id.toString()).sort(), [daemon.values.PEER_ID, other.values.PEER_ID].sort())
    t.match(JSON.parse(await rpc(daemon, 'swarm/peering/ls')), { Peers: [{ ID: other.values.PEER_ID }] })
    t.match(await ipfs.bitswap.stat(), { blocksReceived: 0n, wantlist: [] })
    t.strictSame(await ipfs.bitswap.wantlist(), [])
    await rpc(daemon, `swarm/peering/rm?arg=${other.values.PEER_ID}`)
    await ipfs.swarm.disconnect(address!)
    t.strictSame(await ipfs.swarm.peers(), [])
  })

  await t.test('name/resolve', async t => {
    t.strictSame(await Array.fromAsync(ipfs.name.resolve(daemon.values.PEER_ID)), [], 'no name is published from here; a stream of none is how Kubo says so')
    t.strictSame(await ipfs.key.list(), [{ id: daemon.values.PEER_ID_B36, name: 'self' }])
  })

  await t.test('files/mkdir, files/write, files/read, files/stat, files/cp, files/mv, files/ls, files/flush, files/rm', async t => {
    await ipfs.files.mkdir('/d')
    await ipfs.files.write('/d/one', Buffer.from('written'), { create: true })
    await ipfs.files.cp('/d/one', '/d/two')
    await ipfs.files.mv('/d/two', '/d/three')

    t.equal(await textOf(ipfs.files.read('/d/three', { offset: 2 })), 'itten')
    t.match(await ipfs.files.stat('/d/three'), { size: 7, type: 'file' })
    t.match(await Array.fromAsync(ipfs.files.ls('/d')), [{ name: 'one' }, { name: 'three' }])
    t.match(await ipfs.files.flush('/d'), (await ipfs.files.stat('/d')).cid)
    await ipfs.files.rm('/d', { recursive: true })
    await t.rejects(ipfs.files.stat('/d'), { message: 'file does not exist' })
  })

  await t.test('shutdown', async t => {
    await ipfs.stop()

    await t.rejects(ipfs.version())
  })
})
