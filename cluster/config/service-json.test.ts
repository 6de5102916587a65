import t from 'tap'
import { clusterSection, defaultReplication } from './cluster-section.ts'
import { hidden, showSection } from './secrets.ts'
import { durationMs, endpoint, optional, secret, section, textMap } from './section.ts'
import { readServiceJson, writeServiceJson } from './service-json.ts'

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
  const file = { cluster: { mdns_interval: '10s' }, consensus: { crdt: { trusted_peers: ['*'] } }, datastore: { pebble: {} }, api: { ipfsproxy: { node_https: false } } }

  const { warnings } = readServiceJson(JSON.stringify(file), sections, {})

  t.strictSame(warnings, ['service.json has settings that have no effect here: consensus.crdt, datastore.pebble, cluster.mdns_interval, api.ipfsproxy.node_https'])
})

t.test('a variable that nobody reads is warned of, with the one that was probably meant', async t => {
  const { warnings } = readServiceJson('{}', sections, { CLUSTER_PERNAME: 'x', CLUSTER_CRDT_TRUSTEDPEERS: '*', CLUSTER_CREDENTIALS: 'ctl reads it', HOME: '/' })

  t.strictSame(warnings, ['variables that have no effect here: CLUSTER_PERNAME (did you mean CLUSTER_PEERNAME?), CLUSTER_CRDT_TRUSTEDPEERS'])
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
  'source: a configuration that is fetched from elsewhere': '{"source": "http://x"}',
  'clutser: unknown section \\(did you mean cluster\\?\\)': '{"clutser": {}}',
  'api.restappi: unknown section': '{"api": {"restappi": {}}}',
  'api.ipfsproxi: unknown section \\(did you mean ipfsproxy\\?\\)': '{"api": {"ipfsproxi": {}}}',
  'cluster: expected an object': '{"cluster": 1}',
  'api.ipfsproxy.idle_timeot: unknown setting': '{"api": {"ipfsproxy": {"idle_timeot": "1s"}}}',
  'cluster.secret: expected 64 hexadecimal digits': '{"cluster": {"secret": "abc"}}',
  'cluster.replication_factor_min, replication_factor_max: expected both -1': '{"cluster": {"replication_factor_min": 2}}',
  'cluster.replication_factor_min: expected at most replication_factor_max \\(2\\)': '{"cluster": {"replication_factor_min": 3, "replication_factor_max": 2}}'
})) {
  t.test(`refuses: ${why}`, async t => {
    t.throws(() => readServiceJson(file, sections, {}), { code: 'ERR_INVALID_ARGUMENT', message: new RegExp(`^${why}`) })
  })
}
