import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { createPeerStore, stateFormat } from '../cluster/state/peer-store.ts'
import { storedFormat } from '../cluster/store/format.ts'
import { createStore } from '../cluster/store/store.ts'
import { temporaryFolder } from '../ipfs-compat-tests/harness/folder.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { cleanEnv, daemonSettings, runService, startPeerProcess } from '../ipfs-compat-tests/harness/process.ts'
import type { ProgramResult } from '../ipfs-compat-tests/harness/process.ts'

t.setTimeout(1_800_000) // processes, on machines that are busy

/** States that earlier versions have written, each with the same three pins and with an identity that is used nowhere else. */
const states = fileURLToPath(new URL('../ipfs-compat-tests/harness/fixtures/states', import.meta.url))
const daemon = await startDaemon()
t.teardown(() => daemon[Symbol.asyncDispose]())
const env = cleanEnv(daemonSettings(daemon))
const service = async (folder: string, args: readonly string[]): Promise<ProgramResult> => await runService(['--config', folder, ...args], env)
const { signal } = new AbortController()

t.test('the state of each earlier version is upgraded at the start, as it was it is kept, and all its pins are there', async t => {
  for (const name of (await readdir(states)).filter(name => name !== 'format-2')) {
    await using folder = await peerWith(name)
    await service(folder.path, ['init'])
    t.match(await service(folder.path, ['state', 'version']), { code: 0, out: `state format: 1 (upgraded to ${stateFormat} at the next start)\n` }, name)

    const peer = await startPeerProcess(folder.path, daemonSettings(daemon))
    t.teardown(() => peer.child.kill('SIGKILL'))
    const { out } = await service(folder.path, ['state', 'export'])
    const stopped = await peer.stop()

    t.match(stopped.out, /^The state has format 1 and is upgraded to format 2\. As it was it is kept in .*state\.format-1\.$/m, name)
    t.match(pinsIn(out), threePins, name)
    t.equal(await storedFormat(join(folder.path, 'state.format-1')), 1, name)
    t.match(await service(folder.path, ['state', 'version']), { out: `state format: ${stateFormat}\npins: 3\n` }, name)
  }
})

t.test('a state of this version is taken as it is', async t => {
  await using folder = await peerWith(`format-${stateFormat}`)
  await service(folder.path, ['init'])

  const { code, out } = await service(folder.path, ['state', 'export'])

  t.equal(code, 0)
  t.match(pinsIn(out), threePins)
  t.strictSame((await readdir(folder.path)).filter(name => name.startsWith('state')), ['state'])
})

t.test('a state of a newer version is refused and stays as it is', async t => {
  await using folder = await peerWith(`format-${stateFormat}`)
  await service(folder.path, ['init'])
  {
    await using store = createPeerStore({ folder: join(folder.path, 'state') })
    await store.start({ signal })
    const meta = store.table('meta')
    await store.write(() => meta.put(Buffer.from('format'), Buffer.of(stateFormat + 1)))
  }

  for (const args of [['daemon'], ['state', 'export'], ['--force', 'state', 'import', '/dev/null']]) {
    t.match(await service(folder.path, args), { code: 1, err: /has format 3, written by a newer version of this program; this one reads up to format 2\. Upgrade the program/ }, args.join(' '))
  }
  t.match(await service(folder.path, ['state', 'version']), { out: 'state format: 3 (of a newer version than this program)\n' })
  t.equal(await storedFormat(join(folder.path, 'state')), stateFormat + 1)
})

t.test('a program that knows the first format only refuses what this one writes', async t => {
  await using folder = await peerWith(`format-${stateFormat}`)
  const store = createStore({ folder: join(folder.path, 'state') })

  await t.rejects(store.start({ signal }), { code: 'ERR_STORAGE', message: /newer version/ })
  await store[Symbol.asyncDispose]()
})

const threePins = [
  { cid: 'bafkqablgnfzhg5a', name: 'first', metadata: { a: 'b' }, expire_at: '2099-01-01T00:00:00Z', replication_factor_min: -1 },
  { cid: 'bafkqabttmvrw63te', name: 'second', mode: 'direct', replication_factor_min: 1, replication_factor_max: 2 },
  { cid: 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn', name: 'third', origins: ['/ip4/1.2.3.4/tcp/4001/p2p/12D3KooWQmTqkMSHKgb7VBvTH6WmmB7JSa9jVqFFpZQVzQ4mYFdN'] }
]

const pinsIn = (lines: string): Record<string, unknown>[] =>
  lines.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as { name: string }).sort((a, b) => a.name < b.name ? -1 : 1)

/** A peer's folder with that state in it. */
async function peerWith (name: string): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await temporaryFolder()
  const from = join(states, name)
  for (const file of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name)
    const to = join(folder.path, path.slice(from.length).replace(/\.gz$/, ''))
    await mkdir(dirname(to), { recursive: true })
    await writeFile(to, file.name.endsWith('.gz') ? gunzipSync(await readFile(path)) : await readFile(path))
  }
  return folder
}
