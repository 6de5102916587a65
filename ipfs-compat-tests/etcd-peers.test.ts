/** Whole peers over etcd, as an operator runs them. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startCluster } from './harness/cluster.ts'
import type { TestPeer } from './harness/cluster.ts'
import { startEtcd, withoutEtcd } from './harness/etcd.ts'
import { eventually } from './harness/eventually.ts'
import { inlineCidOf } from './harness/pins.ts'
import { cleanEnv, runService } from './harness/process.ts'

t.setTimeout(1_800_000)

t.test('peers find each other in etcd and pin together, one that is removed ends, and none starts with another engine on its pinset', { skip: withoutEtcd }, async t => {
  await using etcd = await startEtcd()
  await using cluster = await startCluster(2, { settings: { CLUSTER_ETCD_ENDPOINTS: etcd.endpoints.join(',') } })
  const [a, b] = cluster.peers as [TestPeer, TestPeer]
  const cid = inlineCidOf('pinned together').toString()
  const ask = async (peer: TestPeer, path: string, method = 'GET'): Promise<{ readonly status: number, readonly text: string }> => {
    const answer = await fetch(`${peer.rest}/${path}`, { method })
    return { status: answer.status, text: await answer.text() }
  }

  t.match(JSON.parse(await readFile(join(a.folder, 'service.json'), 'utf8')).consensus, { etcd: { prefix: '/ipfs-cluster' }, raft: undefined })
  await eventually('they are two', async () => new RegExp(`${b.id}`).test((await ask(a, 'peers')).text))
  t.equal((await ask(a, `pins/${cid}`, 'POST')).status, 200)
  await eventually('both hold it', async () => (await ask(b, `pins/${cid}`)).text.split('"pinned"').length === 3)
  t.equal((await ask(b, 'health')).status, 204)
  t.equal((await ask(a, `peers/${b.id}`, 'DELETE')).status, 204)
  await eventually('it has ended', () => b.process.child.exitCode !== null || b.process.child.signalCode !== null)
  t.match(b.process.err(), /this peer was removed from the cluster/)

  await a.stop()
  const json = JSON.parse(await readFile(join(a.folder, 'service.json'), 'utf8'))
  await writeFile(join(a.folder, 'service.json'), JSON.stringify({ ...json, consensus: { raft: {} } }))
  t.match(await runService(['--config', a.folder, 'daemon'], cleanEnv({ CLUSTER_EMBEDDED_USE: 'always' })), {
    code: 1, err: /was kept by etcd, and service\.json has consensus\.raft.*state export --file pins\.json/
  })
})
