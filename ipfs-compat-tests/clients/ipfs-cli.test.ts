import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { chainCar } from '../harness/cars.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startDaemon } from '../harness/kubo.ts'
import type { Placeholders } from '../harness/kubo.ts'
import { startPeer } from '../harness/peer.ts'
import { invocations, withTokens } from './ipfs-invocations.ts'
import type { Invocation } from './ipfs-invocations.ts'

const binary = process.env['IPFS_BIN'] ?? ''
/** A command that waits longer waits for ever; it is told so by its exit code. */
const runTimeoutMs = 180_000

/** One daemon as the command line reaches it, with a folder of its own that it works in. */
interface Side { readonly address: string, readonly folder: string, readonly values: Placeholders }
interface Outcome { readonly code: number | null, readonly out: string, readonly err: string }

const contents: Readonly<Record<string, string | Uint8Array>> = {
  'a.txt': 'hello\n', 'b.txt': 'b'.repeat(3000), 'dir/one': 'one\n', 'dir/.hidden': 'hidden\n', 'dir/below/two': 'two\n', 'ünï cödé & <x>': 'odd\n', 'lines': 'x\ny\n', 'empty': '', 'one.car': Buffer.concat(chainCar(3).pieces)
}

/** The first may do everything, and is whom the peer is. */
const users = {
  all: { AuthSecret: 'bearer:all', AllowedPaths: ['/api/v0'] },
  bob: { AuthSecret: 'basic:bob:secret', AllowedPaths: ['/api/v0/pin/ls', '/api/v0/id', '/api/v0/add'] }
}

t.test('what the ipfs command line says through the proxy it says of a daemon alone', { skip: binary === '' && 'IPFS_BIN names no ipfs' }, async t => {
  await using daemon = await startDaemon()
  await using peer = await startPeer()
  await using folders = await temporaryFolder()
  const bare = await side(`${folders.path}/bare`, daemon, daemon.values)
  const ours = await side(`${folders.path}/ours`, peer, peer.values)

  for (const invocation of invocations) {
    const [through, alone] = await Promise.all([run(ours, invocation), run(bare, invocation)])

    t.strictSame(through, alone, invocation.args.join(' '))
  }

  await t.test('and what ends the daemon ends it', async t => {
    const shutdown = { args: ['shutdown'] }

    t.strictSame(await run(ours, shutdown), await run(bare, shutdown))
    const { code, err } = await run(ours, { args: ['id'] })
    t.not(code, 0)
    t.match(err, /the IPFS daemon at \S+ cannot be reached/)
  })
})

t.test('and so it does with tokens, of which each has its own scope', { skip: binary === '' && 'IPFS_BIN names no ipfs' }, async t => {
  await using daemon = await startDaemon({ config: { API: { Authorizations: users } } })
  await using peer = await startPeer({ config: { API: { Authorizations: users } } })
  await using folders = await temporaryFolder()
  const bare = await side(`${folders.path}/bare`, daemon, daemon.values)
  const ours = await side(`${folders.path}/ours`, peer, peer.values)

  for (const invocation of withTokens) {
    const [through, alone] = await Promise.all([run(ours, invocation), run(bare, invocation)])

    t.strictSame(through, alone, invocation.args.join(' '))
  }
})

async function side (folder: string, { host, port }: { readonly host: string, readonly port: number }, values: Placeholders): Promise<Side> {
  await mkdir(join(folder, 'dir', 'below'), { recursive: true })
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content)
  await symlink('one', join(folder, 'dir', 'link'))
  return { address: `/ip4/${host}/tcp/${port}`, folder, values }
}

async function run (on: Side, { args, input = '', unordered = false, volatile = [] }: Invocation): Promise<Outcome> {
  const env = { ...process.env, IPFS_PATH: join(on.folder, 'no-repo') }
  const child = spawn(binary, ['--api', on.address, ...args], { cwd: on.folder, env, timeout: runTimeoutMs, stdio: ['pipe', 'pipe', 'pipe'] })
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  child.stdin.on('error', () => {}).end(input)
  const [code] = await once(child, 'close') as [number | null]
  const shown = (text: string): string => {
    const plain = volatile.reduce((text, pattern) => text.replace(pattern, '…'), withoutOwn(text, on))
    return unordered ? plain.split('\n').sort().join('\n') : plain
  }
  return { code, out: shown(out()), err: shown(err()) }
}

function collect (stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return () => text
}

/** Names of this daemon and its place become those of any. */
function withoutOwn (text: string, { values, folder, address }: Side): string {
  const named = Object.entries(values).filter(([name]) => name !== 'VERSION').sort(([, a], [, b]) => b.length - a.length)
  const plain = named.reduce((text, [name, value]) => value === '' ? text : text.replaceAll(value, name), text.replaceAll(address, 'ADDRESS').replaceAll(folder, 'FOLDER'))
  return plain.replace(/\bk51[a-z0-9]{50,}/g, 'KEY')
}
