import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { cleanEnv, daemonSettings, freePort, runService, startPeerProcess } from '../ipfs-compat-tests/harness/process.ts'

t.setTimeout(180_000) // processes, on machines that are busy

const noKubo = daemonSettings({ host: '127.0.0.1', port: await freePort() })

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
  ['an unknown key', '{"cluster": {"peer_name": "x"}}', /service\.json: cluster\.peer_name: unknown setting/],
  ['a wrong type', '{"api": {"restapi": {"cors_allowed_origins": true}}}', /api\.restapi\.cors_allowed_origins: expected a list of texts/],
  ['a wrong value', '{"pin_tracker": {"stateless": {"concurrent_pins": 0}}}', /pin_tracker\.stateless\.concurrent_pins: expected an integer from 1/]
] as const) {
  t.test(`a service.json with ${why} is refused, naming file and setting`, async t => {
    const folder = t.testdir({ 'service.json': text })

    const { code, err } = await runService(['--config', folder, 'daemon', '--init'], cleanEnv(noKubo))

    t.match({ code, err }, { code: 1, err: said })
  })
}

t.test('a service.json that cannot be read is refused', async t => {
  const folder = t.testdir()
  await mkdir(join(folder, 'service.json'))

  const { code, err } = await runService(['--config', folder, 'daemon'], cleanEnv(noKubo))

  t.match({ code, err }, { code: 1, err: /^error: cannot read .*service\.json: EISDIR/m })
})

t.test('the Go program\'s own configuration is taken as it is, with one warning for what has no effect', async t => {
  const folder = t.testdir()
  const go = await readFile(new URL('../ipfs-compat-tests/harness/fixtures/go-service.json', import.meta.url), 'utf8')
  await writeFile(join(folder, 'service.json'), go)

  const peer = await startPeerProcess(folder, noKubo)
  const { err } = await peer.stop()

  t.equal(err.split('\n').filter(line => line.includes('"level":"warn"')).length, 1)
  t.match(err, /have no effect here: consensus\.crdt, api\.pinsvcapi, .*cluster\.mdns_interval/)
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
