import { mkdir, readFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { showSection } from '../../cluster/config/secrets.ts'
import { etcdSection } from '../../cluster/consensus/etcd/config.ts'
import { assertEngine, engineOf } from './engine.ts'
import { initFolder, peerFolder, readFolder } from './folder.ts'

const raft = { written: new Set(['raft'] as const) }
const etcd = { written: new Set(['etcd'] as const) }
const settings = { CLUSTER_ETCD_ENDPOINTS: 'http://10.0.0.1:2379,https://[::1]:2379', CLUSTER_ETCD_USERNAME: 'peer-0', CLUSTER_ETCD_PASSWORD: 'not to be shown' }

t.test('where a variable says where etcd is, the peers agree by it, and the password is never shown', async t => {
  const folder = peerFolder(`${t.testdir()}/peer`)

  await initFolder(folder, { env: settings, overwrites: false })
  const read = await readFolder(folder, {})

  t.strictSame(Object.keys(JSON.parse(await readFile(folder.serviceJson, 'utf8')).consensus), ['etcd'])
  t.equal(engineOf(read), 'etcd')
  t.match(read.configs.etcd, { endpoints: ['http://10.0.0.1:2379', 'https://[::1]:2379'], username: 'peer-0', password: 'not to be shown' })
  t.notMatch(JSON.stringify(showSection(etcdSection, read.configs.etcd)), 'not to be shown')
})

t.test('otherwise they agree by Raft, or as is asked for', async t => {
  const [usual, asked] = [peerFolder(`${t.testdir()}/usual`), peerFolder(`${t.testdirName}/asked`)]

  await initFolder(usual, { env: {}, overwrites: false })
  await initFolder(asked, { env: {}, overwrites: false, engine: 'etcd' })

  t.equal(engineOf(await readFolder(usual, {})), 'raft')
  t.equal(engineOf(await readFolder(asked, {})), 'etcd')
  t.throws(() => engineOf({ written: new Set(['raft', 'etcd'] as const) }), { code: 'ERR_INVALID_ARGUMENT', message: /leave the other out/ })
})

t.test('a pinset that one engine has kept is not opened by the other, and it is said how the pins come along', async t => {
  const folder = peerFolder(t.testdir({ state: {} }))
  await assertEngine(folder, raft)
  await assertEngine(folder, etcd)

  await mkdir(folder.raft)
  await assertEngine(folder, raft)
  await t.rejects(assertEngine(folder, etcd), { code: 'ERR_INVALID_ARGUMENT', message: /kept by Raft.*state export.*state import/ })

  const other = peerFolder(t.testdir({ state: {} }))
  await writeFile(`${other.state}/etcd.json`, '{}')
  await assertEngine(other, etcd)
  await t.rejects(assertEngine(other, raft), { code: 'ERR_INVALID_ARGUMENT', message: /kept by etcd/ })
})

for (const [file, why] of [
  [{ endpoints: ['10.0.0.1:2379'] }, 'endpoints: expected addresses like http://127.0.0.1:2379'],
  [{ endpoints: [] }, 'endpoints: expected at least one'],
  [{ prefix: 'cluster' }, 'prefix: expected a name that begins with a slash'],
  [{ username: 'peer-0' }, 'username: expected together with password'],
  [{ cert_file: '/a.pem' }, 'cert_file: expected together with key_file'],
  [{ commit_timeout: '1s', request_timeout: '2s' }, 'commit_timeout: expected at least request_timeout']
] as const) {
  t.test(`consensus.etcd refuses ${JSON.stringify(file)}`, async t => {
    t.throws(() => etcdSection(file, {}), { code: 'ERR_INVALID_ARGUMENT', message: new RegExp(`^consensus.etcd.${why}`) })
  })
}
