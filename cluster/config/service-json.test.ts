import t from 'tap'
import { raftSection } from '../consensus/config.ts'
import { clusterSection, defaultReplication } from './cluster-section.ts'
import { hidden, showSection } from './secrets.ts'
import { durationMs, endpoint, optional, secret, section, textMap } from './section.ts'
import { readServiceJson, sourceOf, writeServiceJson, writeSourcedJson } from './service-json.ts'

const proxy = section('api.ipfsproxy', 'CLUSTER_IPFSPROXY', {
  nodeMultiaddress: endpoint('/ip4/127.0.0.1/tcp/5001'),
  idleTimeout: durationMs('1m0s'),
  credentials: secret(optional(textMap({})))
}, { goOnly: ['node_https'] })
const sections = { cluster: clusterSection, proxy }

t.test('each section gets its part, and the environment over it', async t => {
  const file = JSON.stringify({ cluster: { peername: 'alice' }, api: { ipfsproxy: { idle_timeout: '5s' } } })

  const { configs, warnings } = readServiceJson(file, sections, { CLUSTER_PEERNAME: 'bob', CLUSTER_IPFSPROXY_NODEMULTIADDRESS: '/unix/kubo.sock' })

  t.match(configs, { cluster: { peername: 'bob', replicationFactorMin: -1 }, proxy: { idleTimeout: 5_000, nodeMultiaddress: { path: '/kubo.sock' } } })
  t.strictSame(warnings, [])
  t.throws(() => { (configs.proxy as { idleTimeout: number }).idleTimeout = 1 }, TypeError, 'frozen')
})

t.test('a section that is not in the file is known to be missing', async t => {
  const { written } = readServiceJson('{"cluster": {}}', sections, {})

  t.strictSame([...written], ['cluster'])
})

t.test('what only the Go program knows is read over, with one warning that names it', async t => {
  const file = { cluster: { mdns_interval: '10s' }, observations: { tracing: { enable_tracing: false } }, datastore: { pebble: {} }, api: { ipfsproxy: { node_https: false } } }

  const { warnings } = readServiceJson(JSON.stringify(file), sections, {})

  t.strictSame(warnings, ['service.json has settings that have no effect here: observations.tracing, datastore.pebble, cluster.mdns_interval, api.ipfsproxy.node_https'])
})

t.test('a variable that nobody reads is warned of, with the one that was probably meant', async t => {
  const { warnings } = readServiceJson('{}', sections, { CLUSTER_PERNAME: 'x', CLUSTER_CRDT_TRUSTEDPEERS: '*', CLUSTER_CRDT_CLUSTERNAME: 'c', CLUSTER_CREDENTIALS: 'ctl reads it', HOME: '/' })

  t.strictSame(warnings, ['variables that have no effect here: CLUSTER_PERNAME (did you mean CLUSTER_PEERNAME?), CLUSTER_CRDT_CLUSTERNAME'])
})

t.test('what is written is read as the same', async t => {
  const { configs } = readServiceJson('{}', sections, { CLUSTER_SECRET: 'ab'.repeat(32) })

  t.strictSame(readServiceJson(writeServiceJson(sections, configs), sections, {}).configs, configs)
})

t.test('a secret is not shown', async t => {
  const { configs } = readServiceJson('{}', sections, { CLUSTER_SECRET: 'ab'.repeat(32), CLUSTER_IPFSPROXY_CREDENTIALS: 'user:hunter2' })

  const shown = JSON.stringify([showSection(clusterSection, configs.cluster), showSection(proxy, configs.proxy)])

  t.notMatch(shown, /abab|hunter2/)
  t.match(shown, hidden)
})

t.test('replication factors are one wish', async t => {
  t.equal(defaultReplication(clusterSection({}, {})), 'everywhere')
  t.strictSame(defaultReplication(clusterSection({ replication_factor_min: 1, replication_factor_max: 3 }, {})), { min: 1, max: 3 })
})

for (const [why, file] of Object.entries({
  'Expected property name': '{',
  'expected a JSON object': '[]',
  'consensus.crdt: .*"ipfs-cluster-service config convert"': '{"consensus": {"crdt": {}}}',
  'clutser: unknown section \\(did you mean cluster\\?\\)': '{"clutser": {}}',
  'api.restappi: unknown section': '{"api": {"restappi": {}}}',
  'api.ipfsproxi: unknown section \\(did you mean ipfsproxy\\?\\)': '{"api": {"ipfsproxi": {}}}',
  'cluster: expected an object': '{"cluster": 1}',
  'api.ipfsproxy.idle_timeot: unknown setting \\(did you mean idle_timeout\\?\\)': '{"api": {"ipfsproxy": {"idle_timeot": "1s"}}}',
  'cluster.secret: expected 64 hexadecimal digits': '{"cluster": {"secret": "abc"}}',
  'cluster.replication_factor_min, replication_factor_max: expected both -1': '{"cluster": {"replication_factor_min": 2}}',
  'cluster.replication_factor_min: expected at most replication_factor_max \\(2\\)': '{"cluster": {"replication_factor_min": 3, "replication_factor_max": 2}}'
})) {
  t.test(`refuses: ${why}`, async t => {
    t.throws(() => readServiceJson(file, sections, {}), { code: 'ERR_INVALID_ARGUMENT', message: new RegExp(`^${why}`) })
  })
}

t.test('a text that is no JSON is not quoted: it may hold a secret', async t => {
  t.throws(() => readServiceJson('{"cluster": {"secret": "hunter2" x}}', sections, {}), { code: 'ERR_INVALID_ARGUMENT', message: /^(?!.*hunter2)/s })
})

t.test('the Go program\'s variable for who is trusted is that of consensus.raft, which wins where both are set', async t => {
  const raft = { raft: raftSection }
  const [given, both] = [{ CLUSTER_CRDT_TRUSTEDPEERS: '12D3KooWA,12D3KooWB' }, { CLUSTER_CRDT_TRUSTEDPEERS: '12D3KooWA', CLUSTER_RAFT_TRUSTEDPEERS: '12D3KooWC' }]

  t.strictSame(readServiceJson('{}', raft, {}).configs.raft.trustedPeers, ['*'])
  const read = readServiceJson('{}', raft, given)
  t.strictSame([read.configs.raft.trustedPeers, read.warnings], [['12D3KooWA', '12D3KooWB'], []])
  t.strictSame(readServiceJson('{}', raft, both).configs.raft.trustedPeers, ['12D3KooWC'])
  t.throws(() => readServiceJson('{}', raft, { CLUSTER_CRDT_TRUSTEDPEERS: 'alice' }), { message: /^consensus\.raft\.trusted_peers: expected peer ids, or \*/ })
})

t.test('that a peer says of itself that it only stores is refused, in the file and by a variable', async t => {
  t.throws(() => readServiceJson('{"cluster": {"follower_mode": true}}', sections, {}), { message: /^cluster\.follower_mode: .* ipfs-cluster-ctl peers untrust/ })
  t.throws(() => readServiceJson('{}', sections, { CLUSTER_FOLLOWERMODE: 'true' }), { message: /^cluster\.follower_mode: / })
})

t.test('what is fetched stands under the file, the file under the environment', async t => {
  const file = JSON.stringify({ source: 'https://example.com/c', cluster: { peername: 'own' } })
  const fetched = JSON.stringify({ cluster: { peername: 'theirs', replication_factor_min: 2, replication_factor_max: 3, disable_repinning: true }, api: { ipfsproxy: { idle_timeout: '5s' } } })

  const { configs, written } = readServiceJson(file, sections, { CLUSTER_REPLICATIONFACTORMAX: '4' }, fetched)

  t.match(configs, { cluster: { peername: 'own', replicationFactorMin: 2, replicationFactorMax: 4, disableRepinning: true }, proxy: { idleTimeout: 5_000 } })
  t.strictSame([...written], ['cluster', 'proxy'])
  t.equal(sourceOf(file)?.href, 'https://example.com/c')
})

t.test('what is fetched may not change secrets, nor addresses of doors and daemon; the same as here is let through', async t => {
  const secret = 'ab'.repeat(32)
  const own = JSON.stringify({ source: 'https://example.com/c', cluster: { secret } })
  const read = (fetched: object): unknown => readServiceJson(own, sections, { CLUSTER_IPFSPROXY_CREDENTIALS: 'u:p' }, JSON.stringify(fetched))

  for (const fetched of [
    { cluster: { secret: 'cd'.repeat(32) } }, { cluster: { listen_multiaddress: '/ip4/0.0.0.0/tcp/1' } }, { cluster: { peerstore_file: '/etc/passwd' } }, { api: { ipfsproxy: { credentials: { u: 'other' } } } }
  ]) {
    const key = Object.keys(Object.values(fetched)[0]!)[0]!
    t.throws(() => read(fetched), { code: 'ERR_INVALID_ARGUMENT', message: new RegExp(`^the configuration that was fetched sets (cluster|api)\\.(ipfsproxy\\.)?${key}`) })
  }
  t.doesNotThrow(() => read({ cluster: { secret, listen_multiaddress: ['/ip4/0.0.0.0/tcp/9096'] }, api: { ipfsproxy: { credentials: { u: 'p' } } } }))
  t.throws(() => read({ source: 'https://example.com/other' }), { message: /may not point to another one/ })
})

t.test('a file with a source holds what the environment sets, and nothing else', async t => {
  const json = writeSourcedJson(new URL('https://example.com/c'), sections, { CLUSTER_SECRET: 'ab'.repeat(32), CLUSTER_IPFSPROXY_IDLETIMEOUT: '7s' })

  t.strictSame(JSON.parse(json), { source: 'https://example.com/c', cluster: { secret: 'ab'.repeat(32) }, api: { ipfsproxy: { idle_timeout: '7s' } } })
})

t.test('a source that is no address of a web server is refused', async t => {
  for (const written of ['ipfs://bafy', 'example.com/c', 5]) t.throws(() => sourceOf(JSON.stringify({ source: written })), { message: /^source: expected an address like https/ })
})
