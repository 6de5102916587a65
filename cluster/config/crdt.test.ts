import t from 'tap'
import { convertCrdt } from './crdt.ts'

const file = (crdt: object, more: object = {}): string => JSON.stringify({ cluster: { secret: 's' }, consensus: { crdt }, datastore: { pebble: {} }, ...more })

t.test('consensus.raft takes the place of consensus.crdt; all else stays as it is written', async t => {
  const { json, changes } = convertCrdt(file({ cluster_name: 'mine', trusted_peers: ['*'] }, { api: { restapi: { http_log_file: '' } } }), { raft: { init_peerset: ['a'] }, cluster: { peer_addresses: ['b'] } })!

  t.strictSame(JSON.parse(json), { cluster: { secret: 's', peer_addresses: ['b'] }, consensus: { raft: { cluster_name: 'mine', init_peerset: ['a'] } }, api: { restapi: { http_log_file: '' } } })
  t.equal(changes.length, 2)
})

t.test('that only some peers were trusted is kept, and said', async t => {
  const { json, changes } = convertCrdt(file({ trusted_peers: ['12D3KooWA'] }))!

  t.strictSame(JSON.parse(json).consensus.raft, { trusted_peers: ['12D3KooWA'] })
  t.match(changes, [/consensus.raft/, /^trusted_peers are kept/, /datastore/])
})

t.test('a file without CRDT is nothing to convert', async t => {
  t.equal(convertCrdt('{"cluster": {}}'), undefined)
})
