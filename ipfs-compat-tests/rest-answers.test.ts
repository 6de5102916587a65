/** Answers of the REST API, as recorded from ipfs-cluster 1.1.6 but for values and the places named. */
import { base16 } from 'multiformats/bases/base16'
import { CID } from 'multiformats/cid'
import t from 'tap'
import { chainCar, wideCar } from './harness/cars.ts'
import { eventually } from './harness/eventually.ts'
import { startPeer } from './harness/peer.ts'

t.setTimeout(1_800_000)

const peer = await startPeer({ env: { CLUSTER_PEERNAME: 'alice' } })
t.teardown(() => peer[Symbol.asyncDispose]())
const { self } = peer.cluster
const absent = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'
const nowhere = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

interface Answer { status: number, headers: Headers, text: string, json: any, lines: any[] }

async function call (method: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${peer.rest}${path}`, { method, redirect: 'manual', ...init })
  const text = await response.text()
  const parsed = text.trim().split('\n').filter(line => line.startsWith('{') || line.startsWith('[')).map(line => JSON.parse(line))
  return { status: response.status, headers: response.headers, text, json: parsed[0], lines: parsed }
}

async function added (content: string, query = ''): Promise<any> {
  const body = new FormData()
  body.append('file', new Blob([content]), 'a.txt')
  return (await call('POST', `/add?${query}`, { body })).lines.at(-1)
}

/** The same CAR in a version 2 wrapper without an index. */
function carV2 (car: Buffer): Buffer {
  const header = Buffer.alloc(40)
  header.writeBigUInt64LE(51n, 16)
  header.writeBigUInt64LE(BigInt(car.length), 24)
  return Buffer.concat([Buffer.from('0aa16776657273696f6e02', 'hex'), header, car])
}

t.test('GET /id has every key, and the daemon behind', async t => {
  const { status, json, headers } = await call('GET', '/id')

  t.equal(status, 200)
  t.equal(headers.get('content-type'), 'application/json')
  t.strictSame(Object.keys(json), ['id', 'addresses', 'cluster_peers', 'cluster_peers_addresses', 'version', 'commit', 'rpc_protocol_version', 'error', 'ipfs', 'peername'])
  t.match(json, { id: self, cluster_peers: [self], cluster_peers_addresses: [], error: '', peername: 'alice', ipfs: { id: peer.values.PEER_ID, error: '' } })
})

t.test('GET /version, /health and /peers', async t => {
  t.match(await call('GET', '/version'), { status: 200, json: { version: /^\d+\.\d+\.\d+/ } })
  for (const path of ['/health', '/health/ready', '/health/live']) t.match(await call('GET', path), { status: 204, text: '' }, path)
  t.match(await call('GET', '/peers'), { status: 200, lines: [{ id: self }] })
})

t.test('a peer that is a member is answered to POST /peers; of another it is said how it joins', async t => {
  const other = '12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM'
  const post = async (id: string) => await call('POST', '/peers', { body: JSON.stringify({ peer_id: id }) })

  t.match(await post(self), { status: 200, json: { id: self } })
  t.match(await post(other), { status: 400, json: { message: /is not a member of this cluster. A peer joins by itself: .* daemon --bootstrap \/ip4\/.*\/p2p\// } })
  t.match(await post('me'), { status: 400, json: { message: /^error decoding peer_id/ } })
  t.match(await call('POST', '/peers', { body: 'x'.repeat(5_000) }), { status: 400, json: { message: /larger than 4096 bytes/ } })
})

t.test('metrics, alerts and the graph have ipfs-cluster\'s keys', async t => {
  const [ping] = (await call('GET', '/monitor/metrics/ping')).json
  const { json: graph } = await call('GET', '/health/graph')

  t.match((await call('GET', '/monitor/metrics')).json, ['freespace', 'ping', 'pinqueue'])
  t.strictSame(Object.keys(ping), ['name', 'peer', 'value', 'expire', 'valid', 'weight', 'partitionable', 'received_at'])
  t.match(ping, { name: 'ping', peer: self, valid: true, value: /"peer_name":"alice"/ })
  t.match(await call('GET', '/monitor/metrics/nope'), { status: 200, text: '[]\n' })
  t.match(await call('GET', '/health/alerts'), { status: 200, text: '[]\n' })
  t.match(await call('GET', '/health/bandwidth'), { status: 200, text: '{}\n' }, 'there is no other peer')
  t.strictSame(graph, {
    cluster_id: self, id_to_peername: { [self]: 'alice' }, ipfs_links: { [peer.values.PEER_ID]: [] },
    cluster_links: { [self]: [] }, cluster_trust_links: { [self]: true }, cluster_to_ipfs: { [self]: peer.values.PEER_ID }
  })
})

t.test('the reasons for an allocation are told on request', async t => {
  const { cid } = await added('reasons')

  t.match(await call('GET', `/allocations/${cid}/reasons`), { status: 200, json: [{ peer: self, chosen: true, why: 'everywhere', detail: '' }] })
  await call('DELETE', `/pins/${cid}`)
})

t.test('an empty list is 204', async t => {
  await eventually('what was unpinned has left the daemon', async () => (await call('GET', '/pins')).text === '')

  for (const [method, path] of [['GET', '/pins'], ['GET', '/allocations'], ['POST', '/pins/recover']] as const) {
    t.match(await call(method, path), { status: 204, text: '' }, path)
  }
})

t.test('POST /add tells what was added, and pins it with the options asked for', async t => {
  const row = await added('hello\n', 'name=greeting&meta-lang=en&expire-in=1h')

  t.strictSame(row, { name: 'a.txt', cid: absent, size: 14, allocations: [self] })
  const { json } = await call('GET', `/allocations/${row.cid}`)
  t.match(json, { name: 'greeting', metadata: { lang: 'en' }, replication_factor_min: -1, mode: 'recursive', max_depth: -1, type: 'pin', allocations: [] })
  t.ok(Date.parse(json.expire_at) > Date.now())
  await call('DELETE', `/pins/${row.cid}`)
})

t.test('POST /add?stream-channels=false is one array', async t => {
  const body = new FormData()
  body.append('file', new Blob(['x']), 'dir/x')
  const { json } = await call('POST', '/add?stream-channels=false&wrap-with-directory=true', { body })

  t.strictSame(json.map(({ name }: { name: string }) => name), ['dir/x', 'dir', ''])
  await call('DELETE', `/pins/${json.at(-1).cid}`)
})

t.test('POST /add?no-pin=true brings the content and pins nothing', async t => {
  const { cid } = await added('unpinned', 'no-pin=true')

  t.equal((await call('GET', `/allocations/${cid}`)).status, 404)
  t.match(await call('POST', `/pins/${cid}?wait=min`), { status: 200 }, 'the daemon has it')
  await call('DELETE', `/pins/${cid}`)
})

t.test('POST /add?local=true is told and held by this peer', async t => {
  const row = await added('local', 'local=true&wait=all')

  t.strictSame(row.allocations, [self])
  t.match((await call('GET', `/pins/${row.cid}`)).json.peer_map[self], { status: 'pinned' })
  await call('DELETE', `/pins/${row.cid}`)
})

t.test('what an add cannot be asked for here is refused, and why is said', async t => {
  for (const [query, message] of [
    ['shard=true', /nothing is sharded/], ['nocopy=true', /no path that it could refer to/], ['no-copy=1', /no path/], ['mode=direct', /all below it/], [`pin-update=${absent}`, /a pin of its own/],
    ['format=car&wrap=true', /wrap-with-directory is not supported/], ['chunker=zz', /^parameter chunker invalid/], ['chunker=size-0', /^parameter chunker/], ['chunker=rabin-9-8-7', /^parameter chunker/], ['hash=zz', /unrecognized hash/], ['format=car', /EOF|CAR/]
  ] as const) {
    const body = new FormData()
    body.append('file', new Blob(['hello']), 'a.txt')
    t.match(await call('POST', `/add?${query}`, { body }), { status: 400, json: { message } }, query)
  }
})

t.test('each root of each CAR is a pin, in version 1 and 2', async t => {
  const cars = [chainCar(2), wideCar(1), chainCar(3)]
  const body = new FormData()
  for (const { pieces } of cars.slice(0, 2)) body.append('file', new Blob([Buffer.concat(pieces)]), 'a.car')
  body.append('file', new Blob([carV2(Buffer.concat(cars[2]!.pieces))]), 'b.car')

  const { status, lines } = await call('POST', '/add?format=car&name=cars', { body })

  t.strictSame([status, lines.map(({ cid }) => cid)], [200, cars.map(({ root }) => root)])
  t.strictSame((await call('GET', '/allocations')).lines.map(({ name }) => name), ['cars', 'cars', 'cars'])
  for (const { root } of cars) await call('DELETE', `/pins/${root}`)
})

t.test('a list is read a page at a time, in the order of the CIDs', async t => {
  const cids = await Promise.all(['p', 'q', 'r', 's', 't'].map(async name => (await added(name)).cid))

  for (const path of ['/pins', '/allocations']) {
    const all = (await call('GET', path)).lines.map(({ cid }) => cid)
    const first = (await call('GET', `${path}?limit=2`)).lines.map(({ cid }) => cid)
    const second = (await call('GET', `${path}?limit=10&after=${first[1]}`)).lines.map(({ cid }) => cid)
    t.strictSame([...first, ...second], all)
    t.match(await call('GET', `${path}?after=${all[4]}`), { status: 204 })
  }
  for (const cid of cids) await call('DELETE', `/pins/${cid}`)
})

t.test('a pin that takes over from another one has its options; from none is 404', async t => {
  const [old, next] = [await added('old', 'name=kept&meta-a=b'), await added('next')]

  t.match(await call('POST', `/pins/${next.cid}?pin-update=${old.cid}`), { status: 200, json: { name: 'kept', metadata: { a: 'b' }, pin_update: old.cid } })
  t.match(await call('POST', `/pins/${next.cid}?pin-update=${absent}`), { status: 404 })
  for (const { cid } of [old, next]) await call('DELETE', `/pins/${cid}`)
})

t.test('10,000 CIDs in one question are too long for a header, and that is said', async t => {
  t.match(await call('GET', `/pins?cids=${Array.from({ length: 10_000 }, () => absent).join(',')}`), { status: 431, json: { code: 431, message: /max_header_bytes/ } })
})

t.test('POST /pins/{cid} answers the pin, GET tells it alike, DELETE tells what went', async t => {
  const { cid } = await added('a pin by cid')

  const origin = `/ip4/1.2.3.4/tcp/4001/p2p/${peer.values.PEER_ID}`
  const { status, json } = await call('POST', `/pins/${cid}?name=n&meta-k=v&origins=${encodeURIComponent(origin)}&shard-size=104857600&user-allocations=`)

  t.equal(status, 200)
  t.strictSame(Object.keys(json), [
    'replication_factor_min', 'replication_factor_max', 'name', 'mode', 'shard_size', 'user_allocations', 'expire_at', 'metadata', 'pin_update', 'origins',
    'cid', 'type', 'allocations', 'max_depth', 'reference', 'timestamp'
  ])
  t.match(json, { name: 'n', metadata: { k: 'v' }, origins: [origin], cid, timestamp: time, expire_at: '0001-01-01T00:00:00Z', user_allocations: null, pin_update: null, reference: null })
  t.strictSame((await call('GET', `/allocations/${cid}`)).json, json)
  t.strictSame((await call('GET', '/allocations?filter=pin')).lines, [json])
  t.strictSame((await call('DELETE', `/pins/${cid}`)).json, json)
  t.match(await call('DELETE', `/pins/${cid}`), { status: 404, json: { code: 404, message: 'pin is not part of the pinset' } })
})

t.test('a client that leaves while its pin is waited for leaves the pin', async t => {
  const leaving = new AbortController()
  const asked = call('POST', `/pins/${nowhere}?wait=min`, { signal: leaving.signal })
  await eventually('it is agreed on', async () => (await call('GET', `/allocations/${nowhere}`)).status === 200)

  leaving.abort()

  await t.rejects(asked)
  t.ok(await eventually('it is being fetched', async () => (await call('GET', `/pins/${nowhere}`)).json.peer_map[self].status === 'pinning'))
  t.match(await call('DELETE', `/pins/${nowhere}`), { status: 200 })
})

t.test('a pin\'s options are those of its last request, not what earlier ones left behind', async t => {
  const { cid } = await added('options do not leak', 'name=first&meta-a=b&expire-in=1h')

  const { json } = await call('POST', `/pins/${cid}?mode=recursive`)

  t.match(json, { name: '', metadata: null, expire_at: '0001-01-01T00:00:00Z' })
  await call('DELETE', `/pins/${cid}`)
})

t.test('mode=direct pins the one block, by CID and by path', async t => {
  const { cid } = await added('direct')
  await call('DELETE', `/pins/${cid}`)

  t.match((await call('POST', `/pins/${cid}?mode=direct`)).json, { mode: 'direct', max_depth: 0 })
  await call('DELETE', `/pins/${cid}`)
  t.match((await call('POST', `/pins/ipfs/${cid}?mode=direct`)).json, { mode: 'direct', max_depth: 0 })
  await call('DELETE', `/pins/ipfs/${cid}`)
})

t.test('POST /pins/ipfs/{cid}/{path} pins what the path leads to', async t => {
  const body = new FormData()
  body.append('file', new Blob(['deep']), 'top/sub/deep.txt')
  const rows = (await call('POST', '/add', { body })).lines
  const [file, top] = [rows.find(({ name }) => name === 'top/sub/deep.txt'), rows.find(({ name }) => name === 'top')]

  t.match(await call('POST', `/pins/ipfs/${top.cid}/sub/deep.txt`), { status: 200, json: { cid: file.cid } })
  t.match(await call('POST', `/pins/ipfs/${top.cid}/nope`), { status: 500, json: { message: /no link named "nope"/ } })
  for (const { cid } of [file, top]) await call('DELETE', `/pins/${cid}`)
})

t.test('the status of a pin names the peer and its daemon', async t => {
  const { cid } = await added('status', 'name=s')
  const info = { cid, name: 's', allocations: [], origins: [], metadata: null, created: time }
  const short = { peername: 'alice', ipfs_peer_id: peer.values.PEER_ID, status: 'pinned', timestamp: time, error: '', attempt_count: Number, priority_pin: Boolean }

  for (const path of [`/pins/${cid}`, `/pins/${cid}?local=true`, '/pins?filter=pinned', '/pins', `/pins?cids=${cid}`]) {
    const { json } = await call('GET', path)
    t.match(json, info, path)
    t.match(json.peer_map[self], short, path)
  }
  const spelled = CID.parse(cid).toV1().toString(base16)
  t.match((await call('GET', `/pins?cids=${spelled}`)).json, { cid: CID.parse(cid).toV1().toString() }, 'in any base')
  t.match((await call('POST', `/pins/${cid}/recover?local=true`)).json, { cid, peer_map: { [self]: { status: 'pinned' } } })
  t.match((await call('POST', `/pins/${cid}/recover`)).json, { cid, peer_map: { [self]: { status: 'pinned' } } })
  t.match(await call('GET', '/pins?filter=pin_error,unpin_error'), { status: 204 })
  await call('DELETE', `/pins/${cid}`)
})

t.test('what nobody pins is unpinned, never 404', async t => {
  const { status, json } = await call('GET', `/pins/${absent}`)

  t.equal(status, 200)
  t.match(json, { cid: absent, name: '', peer_map: { [self]: { status: 'unpinned', timestamp: time } } })
  t.ok(Date.now() - Date.parse(json.peer_map[self].timestamp) < 60_000)
  t.match(await call('POST', `/pins/${absent}/recover`), { status: 200, json: { peer_map: { [self]: { status: 'unpinned' } } } })
  t.match(await call('POST', `/pins/${absent}/recover?local=true`), { status: 404, json: { message: 'pin is not part of the pinset' } }, 'as ipfs-cluster has it')
})

t.test('whom a pin was asked to be held by is told to who asked, and not kept', async t => {
  const { cid } = await added('allocations asked for')

  t.strictSame((await call('POST', `/pins/${cid}?replication=1&user-allocations=${self}`)).json.user_allocations, [self])
  t.match((await call('GET', `/allocations/${cid}`)).json, { user_allocations: null, allocations: [self] })
  await call('DELETE', `/pins/${cid}`)
})

t.test('POST /ipfs/gc tells what each daemon threw away', async t => {
  const { cid } = await added('rubbish')
  await call('DELETE', `/pins/${cid}`)

  const { status, json } = await call('POST', '/ipfs/gc')

  t.equal(status, 200)
  t.match(json.peer_map[self], { peer: self, peername: 'alice' })
  t.ok(json.peer_map[self].keys.length > 0)
  t.ok(json.peer_map[self].keys.every(({ key }: { key: string }) => /^baf|^Qm/.test(key)), 'Go clients read CIDs as texts')
})

for (const [request, status, message] of [
  ['GET /nope', 404, 'not found'],
  ['POST /version', 405, /^POST is not a method of this path: expected GET$/],
  ['QUERY /version', 405, /^QUERY is not a method/],
  ['PROPFIND /version', 405, /^PROPFIND is not a method/],
  ['QUERY /nope', 404, 'not found'],
  ['GET /pins/xx', 400, 'error decoding Cid: "xx" is not a CID'],
  ['GET /pins/%', 400, /^not a path: /],
  ['GET /pins/%ff', 400, /^not a path: /],
  [`GET /pins/${'a'.repeat(1_000)}`, 400, /^error decoding Cid: /],
  ['POST /pins/xx', 400, /^error decoding Cid: /],
  [`GET /pins?cids=${absent},xx`, 400, /^error decoding Cid: /],
  ['GET /allocations/xx', 400, /^error decoding Cid: /],
  [`GET /allocations/${absent}`, 404, 'pin is not part of the pinset'],
  ['GET /allocations?filter=zz', 400, 'invalid filter value'],
  ['GET /pins?filter=pinnd', 400, 'invalid filter value'],
  [`POST /pins/${absent}?replication-min=x`, 400, /^parameter replication-min invalid/],
  [`POST /pins/${absent}?replication-min=3&replication-max=2`, 400, /^replication factors: expected both -1, or 1 ≤ min ≤ max/],
  [`POST /pins/${absent}?replication=5`, 500, /^not enough peers to allocate/],
  [`POST /pins/${absent}?expire-at=tomorrow`, 400, /^parameter expire-at invalid/],
  [`POST /pins/${absent}?expire-at=2001-01-01T00:00:00Z`, 400, /it is in the past/],
  [`POST /pins/${absent}?expire-in=10ms`, 400, /^parameter expire-in invalid/],
  [`POST /pins/${absent}?mode=sideways`, 400, /^parameter mode invalid/],
  [`POST /pins/${absent}?origins=/ip4/1.2.3.4`, 400, /^parameter origins invalid/],
  [`POST /pins/${absent}?user-allocations=me`, 400, /^parameter user-allocations invalid/],
  [`POST /pins/${absent}?nmae=x`, 400, 'parameter nmae unknown (did you mean name?)'],
  [`POST /pins/${absent}?name=${'x'.repeat(256)}`, 400, /^parameter name invalid: expected at most 255 bytes/],
  ['POST /pins/elsewhere/a/b', 404, 'not found'],
  ['POST /pins/ipfs/0', 400, 'error parsing path: invalid path "/ipfs/0": "0" is not a CID'],
  ['DELETE /pins/ipld/0/a', 400, /^error parsing path: invalid path "\/ipld\/0\/a"/],
  ['POST /add', 400, 'request Content-Type isn\'t multipart/form-data'],
  ['POST /add?shard=true', 400, /^request Content-Type/],
  ['POST /peers', 400, 'error decoding request body'],
  ['DELETE /peers/xx', 400, /^error decoding Peer ID/],
  ['POST /peers/xx/trust', 400, /^error decoding Peer ID/],
  ['DELETE /peers/xx/trust', 400, /^error decoding Peer ID/],
  ['DELETE /peers/trusted', 400, /^error decoding Peer ID/],
  ['POST /peers/trusted', 405, /^POST is not a method of this path: expected /],
  ['PUT /peers/xx/trust', 405, /expected POST or DELETE$/],
  ['GET /peers/trusted?local=true', 400, 'parameter local unknown'],
  ['DELETE /peers/QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN', 400, /is not a member of this cluster$/],
  [`GET /allocations/${absent}/reasons`, 404, 'pin is not part of the pinset']
] as const) {
  t.test(`${request.slice(0, 90)} is refused with ${status}`, async t => {
    const [method, path] = request.split(' ') as [string, string]

    const answer = await call(method, path)

    t.match(answer, { status, json: { code: status, message } })
    t.equal(answer.headers.get('content-type'), 'application/json')
    t.match(await call('GET', '/pins'), { status: 204 }, 'and nothing is pinned')
  })
}

t.test('an upload that is cut leaves nothing pinned', async t => {
  const body = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf of a fi'

  const answer = await call('POST', '/add', { body, headers: { 'content-type': 'multipart/form-data; boundary=b' } })

  t.match(answer, { status: 400, json: { message: /EOF/ } })
  t.match(await call('GET', '/pins'), { status: 204 })
})

t.test('a path that ends in a slash is sent on to the one without', async t => {
  const { status, headers } = await call('GET', '/id/?x=1')

  t.strictSame([status, headers.get('location')], [307, '/id?x=1'])
  t.match(await call('GET', '/pins/'), { status: 307 }, 'as any other')
  t.equal((await call('GET', '//evil.example/')).headers.get('location'), '/evil.example', 'never to another host')
})
