import { join } from 'node:path'
import t from 'tap'
import { cleanEnv, runService } from '../ipfs-compat-tests/harness/process.ts'
import type { ProgramResult } from '../ipfs-compat-tests/harness/process.ts'

t.setTimeout(280_000) // processes, on machines that are busy

const service = async (folder: string, args: readonly string[]): Promise<ProgramResult> => await runService(['--config', folder, ...args], cleanEnv())

for (const [args, said] of [
  [['init', '--consensus', 'crdt'], /expected raft, got "crdt"/],
  [['init', '--datastore', 'badger'], /nothing to choose/],
  [['init', '--peers', '/ip4/1.2.3.4/tcp/9096'], /--peers: \/ip4\/1.2.3.4\/tcp\/9096 is no address of a peer with its id/],
  [['daemon', '--bootstrap', 'nowhere'], /--bootstrap: nowhere is no address of a peer/],
  [['daemon', '--stats'], /--stats: metrics is not supported/],
  [['daemon'], /there is no .*service\.json; run "ipfs-cluster-service init" first/],
  [['daemno'], /no command "daemno" \(did you mean daemon\?\)/],
  [['state', 'exprt'], /expected one of .*, got exprt \(did you mean export\?\)/],
  [['--loglevel', 'loud', 'version'], /--loglevel: expected error, warn, info or debug, got "loud"/]
] as const) {
  t.test(`"${args.join(' ')}" is refused`, async t => {
    t.match(await service(join(t.testdir(), 'peer'), args), { code: 1, out: '', err: said })
  })
}

t.test('version and help', async t => {
  t.match(await service(t.testdir(), ['version']), { code: 0, out: /^\d+\.\d+\.\d+\n$/ })
  t.match(await service(t.testdirName, ['--help']), { code: 0, out: /state adopt/ })
  t.match(await service(t.testdirName, []), { code: 1, err: /no command given/ })
})
