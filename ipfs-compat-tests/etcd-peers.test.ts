/** Whole peers over etcd, as an operator runs them, and the way from one engine to the other. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { request } from 'undici'
import { startCluster } from './harness/cluster.ts'
import { startEtcd, withoutEtcd } from './harness/etcd.ts'
import { eventually } from './harness/eventually.ts'
import { inlineCidOf } from './harness/pins.ts'
import { cleanEnv, runCtl, runService } from './harness/process.ts'

t.setTimeout(1_800_000)
/** A hundred thousand are tried by hand. */
const pinCount = Number(process.env['ETCD_MOVED_PINS'] ?? 1_000)
const lineOf = (number: number): string => JSON.stringify({ cid: inlineCidOf(number).toString(), name: `pin ${number}`, replication_factor_min: -1, replication_factor_max: -1, max_depth: -1, type: 'pin', metadata: { number: String(number) } })
const sorted = (text: string): string[] => text.trim().split('\n').sort()

t.test('peers find each other in etcd, pin together, and pins move from Raft to etcd and back as they are', { skip: withoutEtcd }, async t => {
  await using etcd = await startEtcd()
  await using cluster = await startCluster(2, { settings: { CLUSTER_ETCD_ENDPOINTS: etcd.endpoints.join(',') } })
  const [a, b] = cluster.peers as [typeof cluster.peers[0] & object, typeof cluster.peers[0] & object]
  const cid = inlineCidOf('pinned together').toString()
  const folder = t.testdir({ 'raft.json': `${Array.from({ length: pinCount }, (_, i) => lineOf(i)).join('\n')}\n` })
  const service = async (at: string, args: readonly string[]): Promise<string> => {
    const { code, out, err } = await runService(['--config', at, ...args], cleanEnv())
    if (code !== 0) throw new Error(err)
    return out
  }

  t.match(JSON.parse(await readFile(join(a.folder, 'service.json'), 'utf8')).consensus, { etcd: { prefix: '/ipfs-cluster' }, raft: undefined })
  t.equal((await request(`${a.rest}/pins/${cid}`, { method: 'POST' })).statusCode, 200)
  await eventually('both hold it', async () => /PINNED[\s\S]*PINNED/.test((await runCtl(['--host', hostOf(b.rest), 'status', cid])).out))
  t.match((await runCtl(['--host', hostOf(b.rest), 'peers', 'ls'])).out, new RegExp(`${a.id}[\\s\\S]*${b.id}|${b.id}[\\s\\S]*${a.id}`))

  const raft = join(folder, 'raft')
  await service(raft, ['init', '--consensus', 'raft'])
  await service(raft, ['state', 'import', join(folder, 'raft.json')])
  await service(raft, ['state', 'export', '--file', join(folder, 'from-raft.json')])
  await service(a.folder, ['--force', 'state', 'import', join(folder, 'from-raft.json')])
  await eventually('the other has them', async () => (await service(b.folder, ['state', 'export'])).trim().split('\n').length === pinCount)
  await service(b.folder, ['state', 'export', '--file', join(folder, 'from-etcd.json')])
  await service(raft, ['--force', 'state', 'import', join(folder, 'from-etcd.json')])

  const [before, over, after] = [await readFile(join(folder, 'from-raft.json'), 'utf8'), await readFile(join(folder, 'from-etcd.json'), 'utf8'), await service(raft, ['state', 'export'])]
  t.equal(sorted(before).length, pinCount)
  t.strictSame(sorted(over), sorted(before))
  t.strictSame(sorted(after), sorted(before))

  await a.stop()
  const json = JSON.parse(await readFile(join(a.folder, 'service.json'), 'utf8'))
  await writeFile(join(a.folder, 'service.json'), JSON.stringify({ ...json, consensus: { raft: {} } }))
  const refused = await runService(['--config', a.folder, 'daemon'], cleanEnv({ CLUSTER_EMBEDDED_USE: 'always' }))
  t.match(refused, { code: 1, err: /was kept by etcd, and service\.json has consensus\.raft.*state export --file pins\.json/ })
})

const hostOf = (rest: string): string => {
  const { hostname, port } = new URL(rest)
  return `/ip4/${hostname}/tcp/${port}`
}
