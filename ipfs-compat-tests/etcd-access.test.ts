/** What etcd keeps from whom: users, roles, a full database. */
import t from 'tap'
import type { PinsetOp } from '../cluster/ports.ts'
import { askEtcd, etcdCertificate, startEtcd, withoutEtcd } from './harness/etcd.ts'
import { startEtcdPeer } from './harness/etcd-peer.ts'
import { eventually } from './harness/eventually.ts'
import { cidOf, other, pinOf, self } from './harness/pins.ts'

t.setTimeout(1_800_000)
const { signal } = new AbortController()
const pin = (seed: string | number): PinsetOp => ({ kind: 'pin', pin: pinOf(seed) })
const asKey = (text: string): string => Buffer.from(text).toString('base64')
const skip = withoutEtcd

/** A user each for a peer that writes and one that stores, as docs/consensus.md has them made. */
async function withUsers (endpoint: string): Promise<void> {
  const ask = async (path: string, body: object): Promise<unknown> => await askEtcd(endpoint, `auth/${path}`, body)
  const under = { key: asKey('/test/'), range_end: asKey('/test0') }
  await ask('user/add', { name: 'root', password: 'of root' })
  await ask('user/grant', { user: 'root', role: 'root' }).catch(async () => {
    await ask('role/add', { name: 'root' })
    await ask('user/grant', { user: 'root', role: 'root' })
  })
  for (const [name, permissions] of Object.entries({
    writer: [{ permType: 'READWRITE', ...under }],
    storer: [{ permType: 'READ', ...under }, ...['members', 'peers'].map(kind => ({ permType: 'READWRITE', key: asKey(`/test/${kind}/${other}`) }))]
  })) {
    await ask('role/add', { name })
    for (const perm of permissions) await ask('role/grant', { name, perm })
    await ask('user/add', { name, password: `of ${name}` })
    await ask('user/grant', { user: name, role: name })
  }
  await ask('enable', {})
}

t.test('of a peer that only stores etcd itself refuses every change, and it follows all the same', { skip }, async t => {
  await using etcd = await startEtcd()
  const { endpoints } = etcd
  await withUsers(endpoints[0]!)
  await using writer = await startEtcdPeer({ endpoints, more: { username: 'writer', password: 'of writer' } })
  await using storer = await startEtcdPeer({ endpoints, peer: other, more: { username: 'storer', password: 'of storer' } })

  const revision = await writer.consensus.log([pin('a')], { signal })
  await eventually('it follows', () => storer.state.appliedIndex() === revision)

  await t.rejects(storer.consensus.log([pin('b')], { signal }), { code: 'ERR_STORES_ONLY', message: /etcd does not let this peer's user write there.*permission denied/ }, 'though nobody has told the peer that it may not')
  const { token } = await askEtcd<{ token: string }>(endpoints[0]!, 'auth/authenticate', { name: 'storer', password: 'of storer' })
  const pinKey = Buffer.concat([Buffer.from('/test/pins/'), cidOf('c').bytes]).toString('base64')
  await t.rejects(askEtcd(endpoints[0]!, 'kv/put', { key: pinKey, value: asKey('x') }, token), { message: /permission denied/ })
  await t.rejects(askEtcd(endpoints[0]!, 'kv/deleterange', { key: pinKey }, token), { message: /permission denied/ })
  await t.rejects(askEtcd(endpoints[0]!, 'kv/put', { key: asKey(`/test/members/${self}`), value: asKey('x') }, token), { message: /permission denied/ })
  t.strictSame([...writer.consensus.peerset()].sort(), [self, other].sort())
  t.equal(await storer.state.count(), 1)

  await t.rejects(storer.again({ more: { username: 'storer', password: 'wrong' } }), { code: 'ERR_INVALID_ARGUMENT', message: /etcd does not know the user "storer" with this password/ })
  await t.rejects(writer.again({ more: {} }), { code: 'ERR_INVALID_ARGUMENT', message: /etcd asks for a user and a password/ })
  await t.rejects(startEtcdPeer({ endpoints, peer: other, more: { username: 'storer', password: 'of storer', prefix: '/elsewhere' } }), { code: 'ERR_STORES_ONLY', message: /permission denied/ })
})

t.test('an etcd that speaks TLS only, and asks for a certificate', { skip }, async t => {
  await using etcd = await startEtcd({ isSecure: true })
  const more = { ca_file: etcdCertificate.cert, cert_file: etcdCertificate.cert, key_file: etcdCertificate.key }
  const { endpoints } = etcd
  await using peer = await startEtcdPeer({ endpoints, more })

  const revision = await peer.consensus.log([pin('a')], { signal })

  t.equal((await peer.state.get(cidOf('a')))?.revision, revision)
  await t.rejects(startEtcdPeer({ endpoints, peer: other, more: { ...more, ca_file: '/nowhere' } }), { code: 'ERR_INVALID_ARGUMENT', message: /^consensus\.etcd\.ca_file: cannot be read/ })
})

t.test('when etcd\'s database is full who changes a pin is told so, and reads go on', { skip }, async t => {
  await using etcd = await startEtcd({ args: ['--quota-backend-bytes', String(2 << 20)] })
  await using peer = await startEtcdPeer({ endpoints: etcd.endpoints })
  const large = (number: number): PinsetOp => ({ kind: 'pin', pin: pinOf(number, { metadata: { text: 'x'.repeat(100_000) } }) })
  let kept = 0

  await t.rejects((async () => {
    for (;; kept++) await peer.consensus.log([large(kept)], { signal })
  })(), { code: 'ERR_STORAGE', message: /etcd's database is full.*etcdctl alarm disarm/ })

  t.ok(kept > 0)
  t.equal(await peer.state.count(), kept)
  await using again = await peer.again()
  t.equal(await again.state.count(), kept, 'and it can be started')
})
