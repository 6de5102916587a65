/** The JavaScript client of ipfs-cluster's own documentation, @nftstorage/ipfs-cluster, against a peer: each of its calls. */
import { Cluster } from '@nftstorage/ipfs-cluster'
import t from 'tap'
import { chainCar } from '../harness/cars.ts'
import { startPeer } from '../harness/peer.ts'

t.setTimeout(1_800_000)

const peer = await startPeer({ env: { CLUSTER_PEERNAME: 'alice', CLUSTER_RESTAPI_BASICAUTHCREDENTIALS: 'alice:secret' } })
t.teardown(() => peer[Symbol.asyncDispose]())
const { self } = peer.cluster
const cluster = new Cluster(peer.rest, { headers: { authorization: `Basic ${btoa('alice:secret')}` } })
const car = chainCar(2)

t.test('version, info, peerList, metricNames', async t => {
  t.match(await cluster.version(), /^\d+\.\d+\.\d+/)
  t.match(await cluster.info(), { id: self, peerName: 'alice', clusterPeers: [self], rpcProtocolVersion: '/ipfscluster/1.0/rpc', ipfs: { id: peer.values.PEER_ID, error: '' } })
  t.match(await cluster.peerList(), [{ id: self }])
  t.match(await cluster.metricNames(), ['freespace', 'ping', 'pinqueue'])
  await t.rejects(new Cluster(peer.rest).version(), { message: '401: Unauthorized' })
})

t.test('add, with options and without, as one answer or as a stream', async t => {
  const file = new File(['hello\n'], 'greeting.txt')

  const plain = await cluster.add(file)
  const streamed = await cluster.add(file, { streamChannels: true, rawLeaves: false, cidVersion: 0, name: 'kept', metadata: { a: 'b' }, local: true, recursive: true, hidden: false, wrap: false, shard: false, noCopy: false, progress: false, layout: 'balanced', chunker: 'size-1024', hashFun: 'sha2-256', mode: 'recursive', shardSize: 0 })

  t.match(plain, { cid: /^bafkrei/, name: 'greeting.txt', size: 6 })
  t.match(streamed, { cid: 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN', name: 'greeting.txt' })
  t.match(await cluster.allocation(streamed.cid), { name: 'kept', metadata: { a: 'b' }, mode: 'recursive', maxDepth: -1, allocations: [] })
  for (const { cid } of [plain, streamed]) await cluster.unpin(cid)
})

t.test('addDirectory and addCAR', async t => {
  const rows = await cluster.addDirectory([new File(['a'], 'a.txt'), new File(['b'], 'sub/b.txt')], { name: 'folder' })
  const imported = await cluster.addCAR(new Blob([Buffer.concat(car.pieces)]), { name: 'car' })

  t.strictSame(rows.map(({ name }) => name), ['a.txt', 'sub/b.txt', 'sub', ''])
  t.match(imported, { cid: car.root })
  t.strictSame((await cluster.statusAll({ filter: ['pinned'] })).map(({ name }) => name).sort(), ['car', 'folder'])
  for (const { cid } of [rows.at(-1)!, imported]) await cluster.unpin(cid)
})

t.test('pin and unpin, by CID and by path, with every option', async t => {
  const { cid } = await cluster.add(new File(['pinned'], 'p'))
  const [expireAt, origin] = [new Date('2100-01-31T12:00:00Z'), `/ip4/192.0.2.1/tcp/4001/p2p/${peer.values.PEER_ID}`]

  const pinned = await cluster.pin(cid, { name: 'n', mode: 'recursive', replicationFactorMin: 1, replicationFactorMax: 1, userAllocations: [self], expireAt, metadata: { k: 'v' }, origins: [origin], shardSize: 0 })
  const byPath = await cluster.pin(`/ipfs/${cid}`, { name: 'by path' })

  t.match(pinned, { cid, name: 'n', replicationFactorMin: 1, replicationFactorMax: 1, expireAt, metadata: { k: 'v' }, allocations: [self], type: 'pin' })
  t.match(byPath, { cid, name: 'by path' })
  t.match(await cluster.unpin(`/ipfs/${cid}`), { cid })
  await t.rejects(cluster.unpin(cid), { message: '404: Not Found' })
  await t.rejects(cluster.allocation(cid), { message: '404: Not Found' })
  await t.rejects(cluster.pin('nonsense'), { message: '400: Bad Request' })
})

t.test('a pin takes over from another one', async t => {
  const [old, next] = [await cluster.add(new File(['old'], 'o'), { name: 'kept' }), await cluster.add(new File(['next'], 'n'))]

  t.match(await cluster.pin(next.cid, { pinUpdate: old.cid }), { cid: next.cid, pinUpdate: old.cid, name: 'kept' })
  for (const { cid } of [old, next]) await cluster.unpin(cid)
})

t.test('status, statusAll and recover', async t => {
  const { cid } = await cluster.add(new File(['status'], 's'), { name: 'status' })
  const info = { cid, name: 'status', peerMap: { [self]: { peerName: 'alice', ipfsPeerId: peer.values.PEER_ID, status: 'pinned', error: '' } } }

  t.match(await cluster.status(cid), info)
  t.match(await cluster.status(cid, { local: true }), info)
  t.match(await cluster.recover(cid), info)
  t.match(await cluster.recover(cid, { local: true }), info)
  t.match(await cluster.statusAll({ filter: ['pinned', 'pin_error'], local: true }), [info])
  t.match(await cluster.statusAll({ cids: [cid, cid] }), [info, info])
  await cluster.unpin(cid)
})
