import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../cluster/consensus/raft/processes/ports.ts'
import { cleanEnv, daemonSettings, runService, startPeerProcess } from '../ipfs-compat-tests/harness/process.ts'
import type { ProgramResult } from '../ipfs-compat-tests/harness/process.ts'

t.setTimeout(1_800_000) // processes, on machines that are busy

const noKubo = daemonSettings({ host: '127.0.0.1', port: await freePort() })
const bare = Object.fromEntries(Object.entries(cleanEnv(noKubo)).filter(([name]) => !name.startsWith('CLUSTER_')))
/** Without the settings that keep a test's peer from others' ports: for what starts none. */
const service = async (folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ProgramResult> => await runService(['--config', folder, ...args], { ...bare, ...env })

for (const [why, settings] of Object.entries({
  'a daemon address that is our own proxy': { CLUSTER_IPFSPROXY_LISTENMULTIADDRESS: '/ip4/0.0.0.0/tcp/39095', CLUSTER_IPFSHTTP_NODEMULTIADDRESS: '/ip4/127.0.0.1/tcp/39095' },
  'a daemon address of the proxy that is our own REST API': { CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: '/ip4/127.0.0.1/tcp/39094', CLUSTER_IPFSPROXY_NODEMULTIADDRESS: '/dns4/localhost/tcp/39094' }
})) {
  t.test(`${why} is refused`, async t => {
    const { code, err } = await runService(['--config', t.testdir(), 'daemon', '--init'], cleanEnv({ ...noKubo, ...settings }))

    t.match({ code, err }, { code: 1, err: /^error: .*node_multiaddress: .* is where this peer itself listens/m })
  })
}

for (const [why, text, said] of [
  ['no JSON', '{', /service\.json: Expected property name/],
  ['an unknown key', '{"cluster": {"peer_name": "x"}}', /service\.json: cluster\.peer_name: unknown setting \(did you mean peername\?\)/],
  ['a wrong type', '{"api": {"restapi": {"cors_allowed_origins": true}}}', /api\.restapi\.cors_allowed_origins: expected a list of texts/],
  ['a wrong value', '{"pin_tracker": {"stateless": {"concurrent_pins": 0}}}', /pin_tracker\.stateless\.concurrent_pins: expected an integer from 1/]
] as const) {
  t.test(`a service.json with ${why} is refused, naming file and setting`, async t => {
    const folder = t.testdir({ 'service.json': text })

    const { code, err } = await runService(['--config', folder, 'daemon', '--init'], cleanEnv(noKubo))

    t.match({ code, err }, { code: 1, err: said })
  })
}

t.test('a port that is taken is one error, which names the setting', async t => {
  const other = createServer(() => {}).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => { other.close() })
  const taken = `/ip4/127.0.0.1/tcp/${(other.address() as AddressInfo).port}`

  const { code, err } = await runService(['--config', t.testdir(), 'daemon', '--init'], cleanEnv({ ...noKubo, CLUSTER_IPFSPROXY_LISTENMULTIADDRESS: taken }))

  t.match({ code, err }, { code: 1, err: new RegExp(`^error: api.ipfsproxy.listen_multiaddress: cannot listen on ${taken}: another process listens there$`, 'm') })
  t.notMatch(err, /"level":"error"/)
})

t.test('a service.json that cannot be read is refused', async t => {
  const folder = t.testdir()
  await mkdir(join(folder, 'service.json'))

  const { code, err } = await runService(['--config', folder, 'daemon'], cleanEnv(noKubo))

  t.match({ code, err }, { code: 1, err: /^error: cannot read .*service\.json: EISDIR/m })
})

t.test('the Go program\'s own configuration is refused as long as it is for CRDT, converted when told to, then taken as it is', async t => {
  const folder = t.testdir()
  const go = await readFile(new URL('../ipfs-compat-tests/harness/fixtures/go-service.json', import.meta.url), 'utf8')
  await writeFile(join(folder, 'service.json'), go)

  t.match(await service(folder, ['daemon', '--init']), { code: 1, err: /consensus\.crdt: .*"ipfs-cluster-service config convert"/ })
  t.match(await service(folder, ['config', 'convert', '--peers', 'nobody']), { code: 1, err: /--peers: nobody is no address/ })
  t.match(await service(folder, ['config', 'convert']), { code: 0, out: /^consensus\.crdt → consensus\.raft \(cluster_name "ipfs-cluster" kept\)\n/ })
  t.equal(await readFile(join(folder, 'service.json.crdt'), 'utf8'), go, 'the file as it was is kept')
  t.match(await service(folder, ['config', 'convert']), { code: 1, err: /nothing to convert/ })
  const peer = await startPeerProcess(folder, noKubo)
  const { err } = await peer.stop()

  const warnings = err.split('\n').filter(line => line.includes('"level":"warn"')).map(line => JSON.parse(line).message)
  t.match(warnings.filter(message => /no effect|repinning/.test(message)), [/have no effect here: api\.pinsvcapi, .*cluster\.mdns_interval/, /disable_repinning is true, which the Go program writes by itself: .* Is that meant\?/])
})

t.test('settings are shown as they take effect, secrets hidden; what is wrong with them is told', async t => {
  const folder = t.testdir()
  await service(folder, ['init'], { CLUSTER_SECRET: 'ab'.repeat(32), CLUSTER_RESTAPI_BASICAUTHCREDENTIALS: 'user:hunter2' })

  const { code, out } = await service(folder, ['config', 'show'], { CLUSTER_PEERNAME: 'alice' })

  t.equal(code, 0)
  t.notMatch(out, /abab|hunter2/)
  t.match(JSON.parse(out), { id: /^12D3Koo/, cluster: { peername: 'alice', secret: '(hidden)' }, api: { restapi: { basic_auth_credentials: '(hidden)', idle_timeout: '2m0s' } } })
  t.match(await service(folder, ['config', 'check']), { code: 0, out: /are understood: peer 12D3Koo/ })
  t.match(await service(folder, ['config', 'check'], { CLUSTER_STATELESS_CONCURRENTPINS: 'x' }), { code: 1, err: /concurrent_pins: expected an integer/ })
  t.match(await service(folder, ['config', 'check'], { CLUSTER_CRDT_TRUSTEDPEERS: 'alice' }), { code: 1, err: /trusted_peers: expected peer ids, or \*/ })
})

t.test('a configuration is fetched from where service.json says, kept for when it cannot be, and may not change what is this peer\'s own', async t => {
  let fetched: object = { cluster: { peername: 'fetched' }, api: { restapi: {} } }
  const server = createServer((_, response) => { response.end(JSON.stringify(fetched)) }).listen(0, '127.0.0.1')
  t.teardown(() => { server.close() })
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/service.json`
  const all = t.testdir()
  const [folder, another, wrong] = ['peer', 'another', 'wrong'].map(name => join(all, name)) as [string, string, string]

  t.match(await service(folder, ['init', url], { CLUSTER_SECRET: 'ab'.repeat(32) }), { code: 0, out: /^wrote .*service\.json\n/, err: '' })
  t.match(JSON.parse(await readFile(join(folder, 'service.json'), 'utf8')), { source: url, cluster: { secret: 'ab'.repeat(32) } })
  t.match(JSON.parse((await service(folder, ['config', 'show'])).out), { cluster: { peername: 'fetched' } })
  fetched = { cluster: { secret: 'cd'.repeat(32) }, ipfs_connector: { ipfshttp: { node_multiaddress: '/ip4/6.6.6.6/tcp/5001' } } }
  t.match(await service(folder, ['daemon']), { code: 1, err: /that was fetched sets cluster\.secret, ipfs_connector\.ipfshttp\.node_multiaddress, which only this peer itself may/ })
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  t.match(await service(folder, ['config', 'show']), { code: 0, out: /"peername": "fetched"/, err: /^warning: the configuration at .* cannot be fetched: .*; used is what was fetched before/ })
  t.match(await service(another, ['init', url]), { code: 0, err: /^warning: .*cannot be fetched/ })
  t.match(await service(another, ['daemon']), { code: 1, err: /cannot be fetched: connect ECONNREFUSED/ })
  t.match(await service(wrong, ['init', 'ipfs://bafy']), { code: 1, err: /source: expected an address like https/ })
})

t.test('no secret is in what a peer prints, however much it logs', async t => {
  const folder = t.testdir()
  const secrets = { CLUSTER_SECRET: 'ab'.repeat(32), CLUSTER_RESTAPI_BASICAUTHCREDENTIALS: 'user:hunter2', CLUSTER_IPFSHTTP_APIAUTH: 'bearer:s3cr3t', IPFS_CLUSTER_LOG_LEVEL: 'debug' }
  const peer = await startPeerProcess(folder, { ...noKubo, ...secrets })
  const { private_key: key } = JSON.parse(await readFile(join(folder, 'identity.json'), 'utf8'))
  await fetch(`${peer.rest}/id`, { headers: { authorization: `Basic ${btoa('user:wrong')}` } })
  await fetch(`${peer.rest}/id`, { headers: { authorization: `Basic ${btoa('user:hunter2')}` } })

  const { out, err } = await peer.stop()

  for (const secret of ['abababab', 'hunter2', btoa('user:hunter2'), 's3cr3t', key]) t.notOk((out + err).includes(secret), 'not in the output')
})
