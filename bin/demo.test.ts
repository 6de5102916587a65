import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { cleanEnv } from '../ipfs-compat-tests/harness/process.ts'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'

t.setTimeout(1_800_000)

const program = fileURLToPath(new URL('demo.ts', import.meta.url))

t.test('a number of peers that it cannot start is refused', async t => {
  for (const [args, problem] of [[['--peers', '8'], '--peers 8: expected a number from 1 to 7'], [['--pers', '5'], '--pers']] as const) {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
    t.equal(status, 1)
    t.match(stderr, problem)
  }
})

t.test('one command is three peers that pin what is added through any of them, and says when one dies; Ctrl-C leaves nothing', async t => {
  const folder = t.testdir()
  const bin = process.env['IPFS_BIN'] // taken out of the clean environment with all else that is set for peers
  const child = spawn(process.execPath, [program], { env: { ...cleanEnv(), TMPDIR: folder, ...bin !== undefined && { IPFS_BIN: bin } }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGTERM'))
  const ended = once(child, 'close')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { said += chunk })
  await eventually('the panel is there', () => said.includes('\ntry\n') || child.exitCode !== null, { timeoutMs: 240_000 })
  const [alice, bob] = [...said.matchAll(/IPFS proxy (\S+) +REST API (\S+)/g)].map(([, proxy, rest]) => ({ proxy: proxy!, rest: rest! }))

  const body = new FormData()
  body.append('file', new Blob(['from the demo']), 'a.txt')
  const { Hash } = await (await fetch(`${bob!.proxy}/api/v0/add`, { method: 'POST', body })).json() as { Hash: string }
  await eventually('all three have it', async () => {
    const { peer_map: peers } = await (await fetch(`${alice!.rest}/pins/${Hash}`)).json() as { peer_map: Record<string, { peername: string, status: string }> }
    return Object.values(peers).map(({ peername, status }) => `${peername} ${status}`).sort().join() === 'alice pinned,bob pinned,carol pinned'
  })
  process.kill(Number(/carol .* process (\d+)/.exec(said)![1]), 'SIGKILL')
  await eventually('the death is told', () => /the peer carol has ended \(SIGKILL\)/.test(said))
  child.kill('SIGINT')

  t.strictSame((await ended)[0], 0, said)
  t.match(said, /Ctrl-C ends all of it[^]*Ending three peers/)
  t.strictSame((await readdir(folder)).filter(name => name.startsWith('ipfs-quorum-')), [])
})
