import { create } from 'kubo-rpc-client'
import { CID } from 'multiformats/cid'
import t from 'tap'
import { chainCar } from '../harness/cars.ts'
import { startPeer } from '../harness/peer.ts'

const nowhere = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')

t.test('kubo-rpc-client through the proxy', async t => {
  await using peer = await startPeer()
  const { cluster } = peer
  const ipfs = create({ url: `http://${peer.host}:${peer.port}` })

  await t.test('adds, reads, lists and names', async t => {
    const { cid } = await ipfs.add({ path: 'a.txt', content: Buffer.from('hello') })
    await ipfs.pin.add(cid, { name: 'greeting' })

    const pins = await Array.fromAsync(ipfs.pin.ls({ paths: cid, names: true }))

    t.match(pins, [{ type: 'recursive', name: 'greeting' }])
    t.equal(Buffer.concat(await Array.fromAsync(ipfs.cat(cid))).toString(), 'hello')
    t.match((await cluster.state.get(cid))?.pin, { name: 'greeting' })
  })

  await t.test('what is unpinned and collected is gone', async t => {
    const { cid } = await ipfs.add(Buffer.from('gone'), { cidVersion: 1 })
    await ipfs.pin.rm(cid)

    const collected = await Array.fromAsync(ipfs.repo.gc())

    t.ok(collected.some(({ cid: gone }) => gone?.toString() === cid.toString()))
    t.notOk((await Array.fromAsync(ipfs.refs.local())).some(({ ref }) => ref === cid.toString()))
  })

  await t.test('a pin that cannot be had ends with a timeout and leaves nothing', async t => {
    await t.rejects(ipfs.pin.add(nowhere, { timeout: 300 }), { message: /context deadline exceeded/ })
    t.equal(await cluster.state.get(nowhere), undefined)
  })

  await t.test('a client that gives up leaves nothing either', async t => {
    const controller = new AbortController()
    const pinning = ipfs.pin.add(nowhere, { signal: controller.signal })
    setImmediate(() => controller.abort())

    await t.rejects(pinning)
    await t.rejects(Array.fromAsync(ipfs.pin.ls({ paths: nowhere, type: 'recursive' })), { message: /is not pinned/ })
  })

  await t.test('numbers are whole', async t => {
    const { numObjects, storageMax, version } = await ipfs.repo.stat()

    t.type(numObjects, 'bigint')
    t.type(storageMax, 'bigint')
    t.match(version, /^fs-repo@/)
  })

  await t.test('adds many, in folders and wrapped, each with its progress', async t => {
    const sizes: number[] = []
    const tree = [{ path: 'tree/one', content: 'one' }, { path: 'tree/below/two', content: Buffer.alloc(600_000) }]

    const added = await Array.fromAsync(ipfs.addAll(tree, { wrapWithDirectory: true, cidVersion: 1, progress: bytes => sizes.push(bytes) }))

    t.strictSame(added.map(({ path }) => path).sort(), ['', 'tree', 'tree/below', 'tree/below/two', 'tree/one'])
    t.ok(sizes.includes(600_000))
    const root = added.find(({ path }) => path === '')!.cid
    t.match(await Array.fromAsync(ipfs.ls(`${root.toString()}/tree`)), [{ name: 'below', type: 'dir' }, { name: 'one', type: 'file', size: 3 }])
    t.equal((await cluster.state.get(root))?.pin.mode, 'recursive')
  })

  await t.test('pins many, directly too, and lets go of them', async t => {
    const cids = await Array.fromAsync(ipfs.addAll(['first', 'second'], { pin: false }), ({ cid }) => cid)

    await Array.fromAsync(ipfs.pin.addAll([{ cid: cids[0]!, name: 'the first' }, { cid: cids[1]!, recursive: false }]))
    t.match(await Array.fromAsync(ipfs.pin.ls({ paths: cids, names: true })), [{ cid: cids[0], type: 'recursive', name: 'the first' }, { cid: cids[1], type: 'direct' }])
    t.strictSame(await Array.fromAsync(ipfs.pin.ls({ name: 'the fir' }), ({ cid }) => cid.toString()), [cids[0]!.toString()])
    await Array.fromAsync(ipfs.pin.rmAll(cids.map(cid => ({ cid }))))

    await t.rejects(Array.fromAsync(ipfs.pin.ls({ paths: cids[0]! })), { message: /is not pinned/ })
    await t.rejects(ipfs.pin.rm(cids[0]!), { message: 'not pinned or pinned indirectly' })
  })

  await t.test('updates a pin', async t => {
    const [from, to] = await Array.fromAsync(ipfs.addAll(['before', 'after']), ({ cid }) => cid)
    await ipfs.pin.rm(to!)

    t.match(await ipfs.pin.update(from!, to!), [from, to])

    t.equal(await cluster.state.get(from!), undefined)
    t.ok(await cluster.state.get(to!))
  })

  await t.test('blocks, nodes and archives go in, come out and are pins', async t => {
    const block = await ipfs.block.put(Buffer.from('a block'), { pin: true })
    const node = await ipfs.dag.put({ links: [block] }, { pin: true })
    const { root, pieces } = chainCar(3)
    const imported = await Array.fromAsync(ipfs.dag.import(streamOf(pieces), { pinRoots: true }))

    t.equal(Buffer.from(await ipfs.block.get(block)).toString(), 'a block')
    t.match(await ipfs.block.stat(block), { size: 7 })
    t.match((await ipfs.dag.get(node)).value, { links: [block] })
    t.match((await ipfs.dag.resolve(node, { path: 'links/0' })).cid, block)
    t.match(imported, [{ root: { cid: CID.parse(root), pinErrorMsg: '' } }])
    t.ok(Buffer.concat(await Array.fromAsync(ipfs.dag.export(node))).length > 0)
    for (const cid of [block, node, CID.parse(root)]) t.ok(await cluster.state.get(cid), cid.toString())
    t.match(await Array.fromAsync(ipfs.block.rm(block)), [{ error: { message: /pinned/ } }])
  })

  await t.test('files of its own are the daemon\'s', async t => {
    await ipfs.files.mkdir('/folder')
    await ipfs.files.write('/folder/file', Buffer.from('written'), { create: true })

    t.equal(Buffer.concat(await Array.fromAsync(ipfs.files.read('/folder/file', { offset: 1 }))).toString(), 'ritten')
    t.match(await Array.fromAsync(ipfs.files.ls('/folder')), [{ name: 'file', type: 'file', size: 7 }])
    await ipfs.files.rm('/folder', { recursive: true })
    await t.rejects(ipfs.files.stat('/folder'), { message: 'file does not exist' })
  })

  await t.test('what the daemon alone knows it tells', async t => {
    const { id, agentVersion } = await ipfs.id()

    t.equal(id.toString(), peer.values.PEER_ID)
    t.match(agentVersion, /^kubo\//)
    t.match(await ipfs.version(), { version: peer.values.VERSION })
    t.type(await ipfs.config.get('Addresses.API'), 'string')
    t.ok(Array.isArray(await ipfs.swarm.peers()))
    t.match(await ipfs.repo.version(), /^\d+$/)
    t.match(await ipfs.resolve(`/ipfs/${nowhere.toString()}`), nowhere.toString())
  })

  await t.test('errors are those of the daemon', async t => {
    await t.rejects(ipfs.pin.add('notacid'), { name: 'HTTPError', message: 'invalid path "notacid": path does not have enough components' })
    await t.rejects(ipfs.add('x', { hashAlg: 'nope' }), { message: 'unrecognized hash function: "nope"' })
    await t.rejects(Array.fromAsync(ipfs.pin.ls({ type: 'nope' as never })), { message: /invalid type 'nope'/ })
    await t.rejects(Array.fromAsync(ipfs.cat(nowhere, { timeout: 100 })), { message: /deadline exceeded|timed out/ })
    await t.rejects(Array.fromAsync(ipfs.dag.import(streamOf([Buffer.from('no car')]))), { name: 'HTTPError' })
  })
})

async function * streamOf (pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield * pieces
}
