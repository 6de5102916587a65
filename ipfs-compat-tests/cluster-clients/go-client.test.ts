/** The requests that ipfs-cluster's Go client (api/rest/client) sends, to the letter, and what it takes for an answer. */
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { eventually } from '../harness/eventually.ts'
import { startPeer } from '../harness/peer.ts'

t.setTimeout(1_800_000)

const peer = await startPeer({ env: { CLUSTER_PEERNAME: 'alice' } })
t.teardown(() => peer[Symbol.asyncDispose]())
const { self } = peer.cluster
const cid = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'
const absent = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
const addQuery = 'chunker=size-262144&cid-version=0&expire-at=2100-11-22T19%3A58%3A19.858567408Z&format=unixfs&hash=sha2-256&hidden=false&layout=&local=false&meta-a=b&mode=recursive&name=n&no-pin=false&nocopy=false&progress=false&raw-leaves=false&recursive=false&replication-max=0&replication-min=0&shard=false&shard-size=104857600&stream-channels=true&user-allocations=&wrap-with-directory=false'
const pinQuery = 'mode=recursive&name=&replication-max=0&replication-min=0&shard-size=0&user-allocations='
const addBody = '--b\r\nAbspath-Encoded: %2Ftmp%2Ff.txt\r\nContent-Disposition: form-data; name="file?mode=0644&mtime=1795373899&mtime-nsecs=447067371"; filename="f.txt"\r\nContent-Type: application/octet-stream\r\n\r\nhello\n\r\n--b--\r\n'

interface Answer { readonly status: number, readonly headers: IncomingHttpHeaders, readonly text: string, readonly lines: readonly any[], readonly trailers: NodeJS.Dict<string> }

async function ask (what: string, { body, ...headers }: Record<string, string> = {}): Promise<Answer> {
  const [method, path] = what.split(' ')
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  request(`${peer.rest}${path}`, { method: method!, agent: false, headers: { 'User-Agent': 'Go-http-client/1.1', Traceparent: '00-1ad05d904678321c5cb6bd10a94be498-d1bc8c0944450f9a-00', 'Accept-Encoding': 'gzip', ...headers } }, response => {
    text(response).then(text => resolve({ status: response.statusCode!, headers: response.headers, text, lines: text.split('\n').filter(line => line !== '').map(line => JSON.parse(line)), trailers: response.trailers }), reject)
  }).on('error', reject).end(body)
  return await promise
}

/** For streams it takes 200 and 204 only, and reads the trailer after the last line. */
async function stream (what: string, headers: Record<string, string> = {}): Promise<readonly any[]> {
  const answer = await ask(what, headers)
  t.match(answer, { status: 200, headers: { trailer: 'X-Stream-Error', 'transfer-encoding': 'chunked', 'content-type': 'application/json' }, trailers: { 'x-stream-error': '' } }, what)
  return answer.lines
}

/** Of all else it wants one JSON value of the shape it expects. */
async function value (what: string): Promise<any> {
  const { status, lines } = await ask(what)
  t.strictSame([status, lines.length], [200, 1], what)
  return lines[0]
}

/** It fails at a peer id that is there and empty. */
const emptyIds = (json: unknown): readonly string[] => [...JSON.stringify(json).matchAll(/"(?:id|peer|ipfs_peer_id|cluster_id)":""/g)].map(match => match[0])

t.test('Add: a stream with its own headers', async t => {
  const answer = await ask(`POST /add?${addQuery}`, { 'content-type': 'multipart/form-data; boundary=b', body: addBody })

  t.match(answer, { status: 200, headers: { 'x-chunked-output': '1', 'cache-control': 'no-cache', connection: 'close', trailer: 'X-Stream-Error' }, trailers: { 'x-stream-error': '' } })
  t.match(answer.lines, [{ name: 'f.txt', cid: /^Qm/, size: Number, allocations: [self] }])
  t.match(await value(`DELETE /pins/${answer.lines[0].cid}`), { name: 'n', metadata: { a: 'b' } })
})

t.test('Pin, PinPath, Allocation, Allocations, Unpin, UnpinPath', async t => {
  await ask(`POST /add?${addQuery.replace(/&expire-at=[^&]*/, '')}&no-pin=true`.replace('&no-pin=false', ''), { 'content-type': 'multipart/form-data; boundary=b', body: addBody.replace(/\?mode=[^"]*/, '') })

  t.match(await value(`POST /pins/${cid}?${pinQuery}`), { cid, replication_factor_min: -1, replication_factor_max: -1, max_depth: -1, type: 'pin' })
  t.match(await value(`GET /allocations/${cid}`), { cid, allocations: [], user_allocations: null, pin_update: null, reference: null })
  t.match(await stream('GET /allocations?filter=all'), [{ cid }])
  t.match(await stream('GET /allocations?filter=pin,meta-pin'), [{ cid }])
  t.match(await value(`DELETE /pins/ipfs/${cid}`), { cid })
  t.match(await value(`POST /pins/ipfs/${cid}?${pinQuery}&origins=&pin-update=`), { cid })
  t.match(await value(`DELETE /pins/${cid}`), { cid })
})

t.test('Status, StatusCids, StatusAll, Recover, RecoverAll: WaitFor sees what it waits for', async t => {
  await eventually('what was unpinned has left the daemon', async () => (await ask('GET /pins')).text === '')
  await value(`POST /pins/${cid}?${pinQuery}&wait=all`)

  for (const local of [true, false]) {
    const info = { cid, peer_map: { [self]: { status: 'pinned', error: '', peername: 'alice' } } }
    t.match(await value(`GET /pins/${cid}?local=${local}`), info)
    t.match(await stream(`GET /pins?local=${local}&filter=&cids=`), [info])
    t.match(await stream(`GET /pins?local=${local}&filter=pinned,pinning&cids=`), [info])
    t.match(await stream(`GET /pins?local=${local}&filter=&cids=${cid},${absent}`), [info, { cid: absent, peer_map: { [self]: { status: 'unpinned' } } }])
    t.match(await value(`POST /pins/${cid}/recover?local=${local}`), info)
    t.match(await ask(`POST /pins/recover?local=${local}`), { status: 204, text: '' }, 'an empty stream')
    t.match(await ask(`GET /pins?local=${local}&filter=error&cids=`), { status: 204, text: '' })
  }
  await value(`DELETE /pins/${cid}`)
})

t.test('ID, Peers, Version, GetConnectGraph, Metrics, MetricNames, Alerts, BandwidthByProtocol, RepoGC, Health', async t => {
  const answers = [
    await value('GET /id'), ...await stream('GET /peers'), await value('GET /version'), await value('GET /health/graph'), await value('GET /monitor/metrics/ping'), await value('GET /monitor/metrics'),
    await value('GET /health/alerts'), await value('GET /health/bandwidth'), await value('POST /ipfs/gc?local=false'), await value('POST /ipfs/gc?local=true')
  ]

  t.strictSame(emptyIds(answers), [])
  t.match(await ask('GET /health'), { status: 204, text: '' })
})

t.test('times of metrics are whole numbers of nanoseconds, never in the form of 1e18', async t => {
  const { text } = await ask('GET /monitor/metrics/ping')

  t.match(text, /"expire":\d{19},.*"received_at":\d{19}/)
})

t.test('what fails has the code and message of its error type', async t => {
  t.match(await ask(`DELETE /pins/${absent}`), { status: 404, lines: [{ code: 404, message: 'pin is not part of the pinset' }] })
  t.match(await ask(`GET /allocations/${absent}`), { status: 404, lines: [{ code: 404, message: 'pin is not part of the pinset' }] })
  t.match(await ask('DELETE /peers/nonsense'), { status: 400, lines: [{ code: 400, message: /^error decoding/ }] })
  t.match(await ask('POST /peers', { body: '{"peer_id":""}' }), { status: 400, lines: [{ code: 400 }] })
})
