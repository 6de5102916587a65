import { readdir } from 'node:fs/promises'
import t from 'tap'
import { temporaryFolder } from '../ipfs-compat-tests/harness/folder.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { inlineCidOf } from '../ipfs-compat-tests/harness/pins.ts'
import { cleanEnv, daemonSettings, runService, startPeerProcess } from '../ipfs-compat-tests/harness/process.ts'
import type { ProgramResult } from '../ipfs-compat-tests/harness/process.ts'

t.setTimeout(1_800_000) // processes, on machines that are busy

const daemon = await startDaemon()
t.teardown(() => daemon[Symbol.asyncDispose]())
const service = async (folder: string, args: readonly string[], input?: string): Promise<ProgramResult> => await runService(['--config', folder, ...args], cleanEnv(daemonSettings(daemon)), input)
const line = (cid: string, more: object = {}): string => `${JSON.stringify({ cid, name: 'n', replication_factor_min: -1, replication_factor_max: -1, max_depth: -1, type: 'pin', ...more })}\n`
const [first, second, third] = ['first', 'second', 'third'].map(text => inlineCidOf(text).toString()) as [string, string, string]

t.test('the pinset of a peer that runs is exported, replaced and emptied by agreement', async t => {
  await using at = await temporaryFolder()
  const { path: folder } = at
  const peer = await startPeerProcess(folder, daemonSettings(daemon))
  t.teardown(() => peer.child.kill('SIGKILL'))
  const allocations = async (): Promise<unknown> => (await (await fetch(`${peer.rest}/allocations`)).text()).split('\n').filter(text => text !== '').map(text => (JSON.parse(text) as { cid: string }).cid).sort()

  t.match(await service(folder, ['state', 'import'], line(first) + line(second, { name: 'old' })), { code: 0, out: '2 pins imported\n' })
  t.match(await service(folder, ['state', 'import'], line(third)), { code: 1, err: /pinset of the running cluster, 2 pins, would be replaced by the 1 pins .* --force/ })
  t.match(await service(folder, ['--force', 'state', 'import'], `${line(third)}{"cid": "Qm`), { code: 1, err: /input, line 2: .*; nothing was imported/ })
  t.strictSame(await allocations(), [first, second].sort())
  t.match(await service(folder, ['--force', 'state', 'import', '--rmin', '1', '--rmax', '2'], line(second) + line(third)), { code: 0, out: '2 pins imported, 1 others removed\n' })
  t.strictSame(await allocations(), [second, third].sort())
  t.match(await service(folder, ['state', 'version']), { code: 0, out: /^state format: \d+\npins: 2\n$/ })
  const { out } = await service(folder, ['state', 'export'])
  t.match(out.split('\n').filter(text => text !== '').map(text => JSON.parse(text)), [{ name: 'n', replication_factor_min: 1, replication_factor_max: 2 }, { replication_factor_min: 1 }])
  t.match(await service(folder, ['state', 'cleanup']), { code: 1, err: /all 2 pins would leave the pinset of the whole cluster.* --force/ })
  t.match(await service(folder, ['--force', 'state', 'cleanup']), { code: 0, out: '2 pins were removed from the pinset\n' })
  t.strictSame(await allocations(), [])
  t.match(await peer.stop(), { code: 0 })
  t.strictSame((await readdir(folder)).filter(name => name.startsWith('import') || name.endsWith('.sock')), [])
})
