/** What `npm pack` makes works where it is installed: Node takes no types away inside node_modules. */
import { execFile } from 'node:child_process'
import type { ExecFileOptions } from 'node:child_process'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { withoutTap } from '../harness/without-tap.ts'

t.setTimeout(1_800_000)

const run = async (command: string, args: readonly string[], options: ExecFileOptions = {}): Promise<{ readonly stdout: string }> =>
  await promisify(execFile)(...withoutTap(command, args), { ...options, encoding: 'utf8' })
const root = join(import.meta.dirname, '..', '..')
const folder = t.testdir({ node_modules: {} })
const installed = join(folder, 'node_modules', 'ipfs-quorum')
const npmEnv = { ...process.env, npm_config_offline: 'true', npm_config_update_notifier: 'false', npm_config_loglevel: 'error' }

interface Manifest { readonly bin: Readonly<Record<string, string>>, readonly dependencies: Readonly<Record<string, string>> }

/** As `npm install` would, but that the packages it depends on are those that are here. */
async function install (): Promise<Manifest> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, env: npmEnv })
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string }]
  await mkdir(installed)
  await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components', '1'])
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as Manifest
  const needed = new Set(Object.keys(manifest.dependencies).map(name => name.split('/')[0]!))
  for (const name of needed) await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  return manifest
}

const { bin } = await install()
const bins = (name: string, ...args: string[]): Promise<{ stdout: string }> => run(process.execPath, [join(installed, bin[name]!), ...args], { cwd: folder })

t.test('there is no TypeScript in it, nor a test', async t => {
  const files = await readdir(installed, { recursive: true })

  t.strictSame(files.filter(file => (file.endsWith('.ts') && !file.endsWith('.d.ts')) || file.includes('.test.')), [])
  t.ok(files.includes('LICENSE-MIT'))
})

t.test('both programs run', async t => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }

  t.match(await bins('ipfs-cluster-service', 'version'), { stdout: `${version}\n` })
  t.match(await bins('ipfs-cluster-ctl', '--version'), { stdout: version })
  await bins('ipfs-cluster-service', '--config', join(folder, 'peer'), 'init')
  t.match(JSON.parse(await readFile(join(folder, 'peer', 'service.json'), 'utf8')), { cluster: {}, api: {} })
})

t.test('the client is imported by its name, and asks', async t => {
  const server = createServer((_, response) => response.end('{"version":"7"}\n')).listen(0, '127.0.0.1')
  t.teardown(() => { server.close().closeAllConnections() })
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await writeFile(join(folder, 'use.mjs'), `import { createClient, ClusterClientError } from 'ipfs-quorum/client'\nconsole.log(await createClient({ url: '${url}' }).version(), ClusterClientError.name)\n`)

  const { stdout } = await run(process.execPath, ['use.mjs'], { cwd: folder })

  t.equal(stdout, '7 ClusterClientError\n')
})

t.test('its types are found, and know the API; they ask for neither Node nor anything else', async t => {
  const options = { target: 'esnext', module: 'nodenext', strict: true, noEmit: true, types: [], lib: ['esnext', 'dom', 'dom.iterable', 'dom.asynciterable'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.mts'] }))
  await writeFile(join(folder, 'use.mts'), [
    'import { createClient } from \'ipfs-quorum/client\'',
    'for await (const { cid, peer_map } of createClient().statuses({ filter: [\'pinned\'], limit: 3 })) console.log(cid.length, peer_map)',
    '// @ts-expect-error no status',
    'createClient().statuses({ filter: [\'pinnd\'] })',
    '// @ts-expect-error no option',
    'await createClient().pin(\'cid\', { nmae: \'x\' })'
  ].join('\n'))

  const { code = 0, stdout } = await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder]).catch((err: { stdout: string }) => err) as { code?: number, stdout: string }

  t.strictSame([code, stdout], [0, ''])
})
