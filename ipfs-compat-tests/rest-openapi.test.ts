/** What /openapi.json says of the REST API is what the API does. */
import t from 'tap'
import { createRandom } from '../cluster/consensus/raft/simulator/random.ts'
import { schemaFaults } from './harness/json-schema.ts'
import { operationsOf, randomRequest, wrongValues } from './harness/openapi-requests.ts'
import type { MadeRequest, Operation, Pool } from './harness/openapi-requests.ts'
import { startPeer } from './harness/peer.ts'

t.setTimeout(1_800_000)

const peer = await startPeer({ env: { CLUSTER_RESTAPI_MAXHEADERBYTES: '65536' } })
t.teardown(() => peer[Symbol.asyncDispose]())
const document: any = await (await fetch(`${peer.rest}/openapi.json`)).json()
const operations = operationsOf(document)
const schemas = document.components.schemas
const absent = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'
const stranger = '12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM'
const answerTimeoutMs = 120_000
const requests = Number(process.env['REST_REQUESTS'] ?? 300)
const seed = Number(process.env['REST_SEED'] ?? 20_261)

/** ipfs-cluster answers these with 500 as well, and its clients are told the words: nothing has broken here. */
const refusedWith500 = /^not enough peers|^not pinned or pinned|no link named|already pinned recursively|^cannot resolve|invalid path|^path does not|block was not found locally|this is not|is not supported|^no such/

interface Answer { readonly status: number, readonly text: string, readonly lines: readonly any[] }

async function send ({ method, target, headers, body }: MadeRequest): Promise<Answer> {
  const response = await fetch(`${peer.rest}${target}`, { method, headers, redirect: 'manual', signal: AbortSignal.timeout(answerTimeoutMs), ...body !== undefined && { body } })
  const text = await response.text()
  return { status: response.status, text, lines: text.split('\n').filter(line => line !== '').map(line => JSON.parse(line)) }
}

const get = (method: string, target: string): MadeRequest => ({ method, target, headers: {}, body: undefined })

/** Why an answer is not one that the document speaks of. */
function faultsOf ({ spec }: Operation, { status, lines }: Answer): readonly string[] {
  let documented = spec.responses[status]
  if (documented === undefined) return [`${status} is not documented`]
  if (documented.$ref !== undefined) documented = document.components.responses[documented.$ref.split('/').at(-1)]
  const schema = documented.content?.['application/json'].schema
  return lines.flatMap(line => schemaFaults(line, schema ?? false, schemas))
}

/** What nobody has is fetched without end, and meanwhile no daemon collects garbage: it is asked about, not for. */
function bounded ({ method, target, ...rest }: MadeRequest, known: string): MadeRequest {
  return { ...rest, method, target: method === 'POST' && target.startsWith('/pins') ? target.replaceAll(absent, known) : target }
}

/** Two files that a folder keeps at the daemon, whatever becomes of their own pins. */
async function keptFiles (): Promise<readonly string[]> {
  const body = new FormData()
  for (const name of ['one', 'two']) body.append('file', new Blob([name]), `kept/${name}`)
  const rows: any[] = await (await fetch(`${peer.rest}/add?stream-channels=false`, { method: 'POST', body })).json() as any[]
  return rows.filter(({ name }) => name !== 'kept').map(({ cid }) => cid)
}

t.test('the document names every schema that it refers to, and each operation once', async t => {
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/(\w+)\/(\w+)"/g)]
  const ids = operations.map(({ spec }) => spec.operationId)

  t.equal(document.openapi, '3.1.0')
  t.strictSame(references.filter(([, kind, name]) => document.components[kind!][name!] === undefined), [])
  t.equal(new Set(ids).size, ids.length)
  t.ok(operations.length >= 27)
})

t.test('a parameter that is unknown is refused, wherever it stands', async t => {
  for (const operation of operations) {
    const target = operation.path.replace('{cid}', absent).replace('{namespace}', 'ipfs').replace('{path}', absent).replace('{peer}', stranger).replace('{name}', 'ping')
    const { status, text } = await send({ ...get(operation.method, `${target}?nonsense=1`), headers: { 'content-type': 'multipart/form-data; boundary=b' } })

    t.match([status, text], [400, /parameter nonsense unknown/], `${operation.method} ${operation.path}`)
  }
})

t.test('each parameter is refused when it is wrong', async t => {
  for (const operation of operations) {
    for (const parameter of operation.spec.parameters.filter((one: any) => one.in === 'query' && one.name !== 'meta')) {
      const target = operation.path.replace('{cid}', absent).replace('{namespace}', 'ipfs').replace('{path}', absent)
      for (const value of wrongValues(parameter)) {
        const { status, text } = await send({ ...get(operation.method, `${target}?${new URLSearchParams({ [parameter.name]: value })}`), headers: { 'content-type': 'multipart/form-data; boundary=b' } })

        t.match([status, text], [400, /parameter .* invalid|error decoding Cid|invalid filter/], `${operation.method} ${operation.path} ${parameter.name}=${JSON.stringify(value.slice(0, 20))}`)
      }
    }
  }
  t.equal(await peer.cluster.state.count(), 0, 'and nothing is pinned')
})

t.test(`${requests} random requests are answered as documented, none with a failure of ours (REST_SEED=${seed})`, async t => {
  const random = createRandom(seed, 1)
  const kept = await keptFiles()
  const pool: Pool = { cids: [...kept, absent], peers: [peer.cluster.self, stranger] }
  const statuses = new Map<number, number>()

  for (let i = 0; i < requests; i++) {
    const operation = random.pick(operations)
    const request = randomRequest(operation, pool, random)
    const answer = await send(bounded(request, kept[0]!)).catch((err: Error) => ({ status: 0, text: err.message, lines: [{ code: 0, message: err.message }] }))
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    const isElsewhere = (answer.status === 404 && /"not found"/.test(answer.text)) || (answer.status === 307 && /^[^?]*\/(\?|$)/.test(request.target)) // an empty last step
    const described = isElsewhere ? [] : faultsOf(operation, answer)
    const isOurs = (answer.status === 0 || answer.status >= 500) && !refusedWith500.test(answer.lines[0].message)
    if (described.length > 0 || isOurs) t.fail(`${request.method} ${request.target} ${request.body ?? ''}`, { described, answer })
  }

  t.comment(Object.fromEntries(statuses))
  t.match(await send(get('GET', '/health')), { status: 204 })
})
