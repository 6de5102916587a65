import { readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { inlineCidOf } from '../ipfs-compat-tests/harness/pins.ts'
import { cleanEnv, daemonSettings, runService, startPeerProcess } from '../ipfs-compat-tests/harness/process.ts'
import type { ProgramResult } from '../ipfs-compat-tests/harness/process.ts'

t.setTimeout(1_800_000) // processes, on machines that are busy

const daemon = await startDaemon()
t.teardown(() => daemon[Symbol.asyncDispose]())
const env = cleanEnv({ ...daemonSettings(daemon), CLUSTER_PEERNAME: 'alice' })
const service = async (folder: string, args: readonly string[], input?: string): Promise<ProgramResult> => await runService(['--config', folder, ...args], env, input)
const line = (cid: string, more: object = {}): string => `${JSON.stringify({ cid, name: 'n', replication_factor_min: -1, replication_factor_max: -1, max_depth: -1, type: 'pin', ...more })}\n`
const [first, second] = [inlineCidOf('first').toString(), inlineCidOf('second').toString()]

t.test('init writes what is missing, and over what is there only when told to', async t => {
  const folder = join(t.testdir(), 'peer')

  t.match(await service(folder, ['init']), { code: 0, out: /wrote .*service\.json\nwrote .*identity\.json\n$/ })
  const identity = await readFile(join(folder, 'identity.json'), 'utf8')
  const { cluster, api } = JSON.parse(await readFile(join(folder, 'service.json'), 'utf8'))
  t.match(cluster, { peername: 'alice', secret: /^[0-9a-f]{64}$/ }, 'with the environment in it')
  t.ok(api.restapi && api.ipfsproxy)
  t.match(await service(folder, ['init']), { code: 1, err: /service\.json is there already; --force/ })
  t.match(await service(folder, ['--force', 'init', '--custom-secret'], `${'ab'.repeat(32)}\n`), { code: 0, out: /^wrote .*service\.json\n$/ })
  t.equal(JSON.parse(await readFile(join(folder, 'service.json'), 'utf8')).cluster.secret, 'ab'.repeat(32))
  t.equal(await readFile(join(folder, 'identity.json'), 'utf8'), identity, 'the identity stays')
})

t.test('an exported pinset is imported as it was', async t => {
  const [from, to] = [join(t.testdir(), 'from'), join(t.testdirName, 'to')]
  for (const folder of [from, to]) await service(folder, ['init'])
  const pins = line(first, { metadata: { a: 'b' }, expire_at: '2099-01-01T00:00:00Z' }) + line(second, { max_depth: 0, mode: 'direct', replication_factor_min: 1, replication_factor_max: 2, allocations: ['12D3KooWQmTqkMSHKgb7VBvTH6WmmB7JSa9jVqFFpZQVzQ4mYFdN'] })
  t.match(await service(from, ['state', 'import'], pins), { code: 0, out: '2 pins imported\n', err: '' }, 'and nothing of what happens below')

  const { out } = await service(from, ['state', 'export'])
  const file = join(t.testdirName, 'pins.json')
  await service(from, ['state', 'export', '--file', file])
  await service(to, ['state', 'import', file])

  t.match(out.split('\n').map(text => text && JSON.parse(text)), [{ cid: first, metadata: { a: 'b' }, expire_at: '2099-01-01T00:00:00Z' }, { cid: second, mode: 'direct', max_depth: 0, replication_factor_max: 2 }, ''])
  t.equal(await readFile(file, 'utf8'), out)
  t.equal((await service(to, ['state', 'export'])).out, out)
})

t.test('an import replaces the pinset only when told to, and nothing changes when a line is not understood', async t => {
  const folder = join(t.testdir(), 'peer')
  await service(folder, ['init'])
  await service(folder, ['state', 'import'], line(first))

  t.match(await service(folder, ['state', 'import'], line(second)), { code: 1, err: /the pinset, 1 pins, would be replaced by the 1 pins .* --force/ })
  for (const [bad, why] of [['{', /input, line 2: /], [line('nonsense'), /line 2: cid: /], [line(second, { type: 'meta-pin' }), /line 2: type: .*sharded/], [line(second, { replication_factor_min: 3, replication_factor_max: 2 }), /line 2: replication factors.*; nothing was imported/]] as const) {
    t.match(await service(folder, ['--force', 'state', 'import'], line(second) + bad), { code: 1, err: why })
  }
  t.match((await service(folder, ['state', 'export'])).out, first)
  t.match(await service(folder, ['--force', 'state', 'import', '--rmin', '1', '--rmax', '1'], line(second)), { code: 0 })
  const { out } = await service(folder, ['state', 'export'])
  t.notMatch(out, first)
  t.match(JSON.parse(out), { cid: second, replication_factor_min: 1, replication_factor_max: 1 })
  t.match((await readdir(folder)).filter(name => name.startsWith('state')), ['state', 'state.old.0'], 'what was there is put aside, not deleted')
})

t.test('cleanup puts the pinset aside when told to', async t => {
  const folder = join(t.testdir(), 'peer')
  await service(folder, ['init'])
  t.match(await service(folder, ['state', 'cleanup']), { code: 0, out: 'There is no pinset.\n' })
  await service(folder, ['state', 'import'], line(first))

  t.match(await service(folder, ['state', 'cleanup']), { code: 1, err: /--force/ })
  t.match(await service(folder, ['--force', 'state', 'cleanup']), { code: 0, out: /is in .*state\.old\.0 now/ })
  t.match(await service(folder, ['state', 'export']), { code: 0, out: '', err: '0 pins exported\n' })
})

t.test('a peer whose log is damaged does not start with less: it names file and index, and its pins can be saved', async t => {
  const folder = join(t.testdir(), 'peer')
  await service(folder, ['init'])
  await service(folder, ['state', 'import'], line(first) + line(second))
  const log = join(folder, 'state', 'raft', '00000001.log')
  const bytes = await readFile(log)
  bytes[200]! ^= 1
  await writeFile(log, bytes)

  t.match(await service(folder, ['daemon']), { code: 1, err: /error: the raft log is damaged at index \d+: .*00000001\.log, byte \d+: .*main\.ts verify/ })
  t.match(await service(folder, ['state', 'adopt']), { code: 1, err: /damaged at index/ })
  const { code, out } = await service(folder, ['state', 'export'])
  t.equal(code, 0)
  t.match(await service(folder, ['--force', 'state', 'import'], out), { code: 0, out: '2 pins imported\n' })
  t.equal((await service(folder, ['state', 'export'])).out, out)
})

t.test('adopt makes the daemon\'s pins the cluster\'s, under their names, and the state commands want the peer stopped', async t => {
  const folder = join(t.testdir(), 'peer')
  const url = `http://${daemon.host}:${daemon.port}/api/v0`
  for (const [cid, query] of [[first, 'name=mine'], [second, 'recursive=false']] as const) await fetch(`${url}/pin/add?arg=${cid}&${query}`, { method: 'POST' })
  await service(folder, ['init'])

  const adopted = await service(folder, ['state', 'adopt'])
  t.match(adopted, { code: 0, out: /^\d+ of the daemon's \d+ pins are cluster pins now/, err: /pins looked at/ })
  t.match((await service(folder, ['state', 'adopt'])).out, /^0 of the daemon's/)

  const peer = await startPeerProcess(folder, daemonSettings(daemon))
  t.teardown(() => peer.child.kill('SIGKILL'))
  const pins = (await (await fetch(`${peer.rest}/allocations`)).text()).split('\n').filter(text => text !== '').map(text => JSON.parse(text))
  t.match(pins.find(({ cid }) => cid === first), { name: 'mine', mode: 'recursive' })
  t.match(pins.find(({ cid }) => cid === second), { mode: 'direct' })
  t.match(await service(folder, ['state', 'adopt']), { code: 1, err: /is in use by process/ })
  await peer.stop()
})

t.test('an import that was interrupted while its pinset took the other\'s place is finished at the next command', async t => {
  const folder = join(t.testdir(), 'peer')
  await service(folder, ['init'])
  await service(folder, ['state', 'import'], line(first))
  await rename(join(folder, 'state'), join(folder, 'state.new'))

  t.match(await service(folder, ['state', 'export']), { code: 0, out: new RegExp(first) })
})
