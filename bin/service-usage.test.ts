import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { cleanEnv, runService } from '../ipfs-compat-tests/harness/process.ts'
import type { ProgramResult } from '../ipfs-compat-tests/harness/process.ts'

t.setTimeout(1_800_000) // processes, on machines that are busy

const service = async (folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, input?: string): Promise<ProgramResult> => await runService(['--config', folder, ...args], cleanEnv(env), input)

for (const [args, said] of [
  [['init', '--consensus', 'crdt'], /expected raft or etcd, by which the peers agree here; got "crdt"/],
  [['init', '--datastore', 'badger'], /nothing to choose/],
  [['init', '--peers', '/ip4/1.2.3.4/tcp/9096'], /--peers: \/ip4\/1.2.3.4\/tcp\/9096 is no address of a peer with its id/],
  [['daemon', '--bootstrap', 'nowhere'], /--bootstrap: nowhere is no address of a peer/],
  [['daemon', '--tracing'], /--tracing: there is no tracing here/],
  [['daemon'], /there is no .*service\.json; run "ipfs-cluster-service init" first/],
  [['-x', 'daemon'], /unknown flag -x before the command \(it belongs after daemon\)/],
  [['daemno'], /no command "daemno" \(did you mean daemon\?\)/],
  [['state', 'exprt'], /expected one of .*, got exprt \(did you mean export\?\)/],
  [['--loglevel', 'loud', 'version'], /--loglevel: expected error, warn, info or debug, got "loud"/]
] as const) {
  t.test(`"${args.join(' ')}" is refused`, async t => {
    t.match(await service(join(t.testdir(), 'peer'), args), { code: 1, out: '', err: said })
  })
}

t.test('a secret that is typed is taken as it is, also without a line end; none at all is an error, and nothing is written', async t => {
  const folder = t.testdir()

  t.match(await service(join(folder, 'none'), ['init', '--custom-secret'], {}, ''), { code: 1, err: /the input ended before there was a secret/ })
  t.match(await service(join(folder, 'wrong'), ['init', '--custom-secret'], {}, 'abc\n'), { code: 1, err: /cluster\.secret: expected 64 hexadecimal digits/ })
  t.match(await service(join(folder, 'right'), ['init', '--custom-secret'], {}, 'ab'.repeat(32)), { code: 0 })
  t.match(JSON.parse(await readFile(join(folder, 'right', 'service.json'), 'utf8')), { cluster: { secret: 'ab'.repeat(32) } })
  t.strictSame(await readdir(folder), ['right'])
})

t.test('half of an identity in the environment is an error, and nothing is written', async t => {
  const folder = t.testdir()

  t.match(await service(join(folder, 'peer'), ['init'], { CLUSTER_ID: '12D3KooWA' }), { code: 1, err: /CLUSTER_ID is set alone/ })
  t.strictSame(await readdir(folder), [])
})

t.test('version and help', async t => {
  t.match(await service(t.testdir(), ['version']), { code: 0, out: /^\d+\.\d+\.\d+\n$/ })
  t.match(await service(t.testdirName, ['--help']), { code: 0, out: /state adopt/ })
  t.match(await service(t.testdirName, []), { code: 1, err: /no command given/ })
})
