/** What a container does before its peer, with a program in the peer's place that only tells how it was called. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseAllDocuments } from 'yaml'

t.setTimeout(1_800_000)

const repo = fileURLToPath(new URL('..', import.meta.url))
const entrypoint = join(repo, 'docker/entrypoint.sh')
const secretPattern = /^[0-9a-f]{64}$/
const timeoutMs = 120_000

/** Tells in `service.json` what `init` was given; fails instead when a file says so. */
const fakeService = `#!/bin/sh
[ ! -f "$IPFS_CLUSTER_PATH/fail" ] || exit 9
echo "$*"
case $1 in
  init) printf '{"args":"%s","secret":"%s","announce":"%s","peers":"%s"}' "$*" "\${CLUSTER_SECRET:-}" "\${CLUSTER_ANNOUNCEMULTIADDRESS:-}" "\${CLUSTER_PEERADDRESSES:-}" > "$IPFS_CLUSTER_PATH/service.json" ;;
  daemon) echo "embedded=\${CLUSTER_EMBEDDED_USE:-} proxy=\${CLUSTER_IPFSPROXY_NODEMULTIADDRESS:-}" ;;
esac`
const fakeId = '#!/bin/sh\necho 1000' // so that no root is given up

const skip = process.platform !== 'linux' && 'the image is a Linux'
const names = ['cluster0', 'cluster1', 'cluster2'] as const
interface Written { readonly args: string, readonly secret: string, readonly announce: string, readonly peers: string }

t.test('the first to start founds, the others join it with its secret', { skip }, async t => {
  const { start, written } = await machine(t.testdir({ bin: { 'ipfs-cluster-service': fakeService, id: fakeId } }))

  for (const name of ['cluster1', 'cluster2', 'cluster0']) await start(name)

  const [zero, one, two] = await Promise.all(names.map(written))
  t.match(one, { secret: secretPattern, announce: '/dns4/cluster1/tcp/9096', peers: /^$/ })
  t.match(zero, { secret: one!.secret, announce: '/dns4/cluster0/tcp/9096', peers: '/dns4/cluster1/tcp/9096,/dns4/cluster2/tcp/9096' })
  t.match(two, { secret: one!.secret, peers: '/dns4/cluster0/tcp/9096,/dns4/cluster1/tcp/9096' })
})

t.test('of many that start at once one founds', { skip }, async t => {
  const { start, written } = await machine(t.testdir({ bin: { 'ipfs-cluster-service': fakeService, id: fakeId } }))
  const many = Array.from({ length: 12 }, (_none, i) => `peer${i}`)

  await Promise.all(many.map(async name => await start(name, { IPFS_CLUSTER_PEERS: many.join() })))

  const all = await Promise.all(many.map(written))
  t.equal(all.filter(({ peers }) => peers === '').length, 1)
  t.equal(new Set(all.map(({ secret }) => secret)).size, 1)
})

t.test('a founder whose first start was cut short founds at the next; one that has lost its folder joins', { skip }, async t => {
  const { start, written, data } = await machine(t.testdir({ bin: { 'ipfs-cluster-service': fakeService, id: fakeId } }))
  await mkdir(data('cluster0'), { recursive: true })
  await copyFile(entrypoint, join(data('cluster0'), 'fail'))
  t.equal((await start('cluster0')).code, 9)
  await rm(join(data('cluster0'), 'fail'))
  await start('cluster1')

  await start('cluster0')
  const founder = await written('cluster0')
  await rm(data('cluster0'), { recursive: true })
  await start('cluster0')

  t.match(founder, { peers: /^$/, secret: (await written('cluster1')).secret })
  t.match(await written('cluster0'), { peers: '/dns4/cluster1/tcp/9096,/dns4/cluster2/tcp/9096', secret: founder.secret })
})

t.test('a secret that is given is used; without names a peer has a cluster of its own', { skip }, async t => {
  const { start, written } = await machine(t.testdir({ bin: { 'ipfs-cluster-service': fakeService, id: fakeId } }))

  await start('cluster0', { CLUSTER_SECRET: 'given' })
  const { out } = await start('alone', { IPFS_CLUSTER_PEERS: '', CLUSTER_SECRET: '' })

  t.equal((await written('cluster0')).secret, 'given')
  t.match(await written('alone'), { args: 'init', secret: /^$/, peers: /^$/ })
  t.equal(out, 'init\ndaemon\nembedded= proxy=\n')
})

t.test('a later start begins nothing anew, and a daemon that is named is meant', { skip }, async t => {
  const { start } = await machine(t.testdir({ bin: { 'ipfs-cluster-service': fakeService, id: fakeId } }))
  await start('cluster0')

  const { out } = await start('cluster0', { CLUSTER_IPFSHTTP_NODEMULTIADDRESS: '/dns4/ipfs0/tcp/5001' })

  t.equal(out, 'daemon\nembedded=never proxy=/dns4/ipfs0/tcp/5001\n')
})

t.test('names without a folder to share are refused', { skip }, async t => {
  const { start } = await machine(t.testdir({ bin: { 'ipfs-cluster-service': fakeService, id: fakeId } }))

  t.match(await start('cluster0', { IPFS_CLUSTER_SHARED: '' }), { code: 1, err: /IPFS_CLUSTER_PEERS needs IPFS_CLUSTER_SHARED/ })
})

t.test('a pod of the Kubernetes example takes its own identity, and is told of the others', { skip }, async t => {
  const lines = names.map((_name, i) => `/dns4/ipfs-quorum-${i}.ipfs-quorum-peers/tcp/9096/p2p/id${i}`)
  const { folder, env } = await machine(t.testdir({ bin: { 'ipfs-cluster-service': fakeService, id: fakeId }, identities: { peers: `${lines.join('\n')}\n`, 'ipfs-quorum-1.json': 'mine' }, data: {} }))
  const [script] = parseAllDocuments(await readFile(join(repo, 'docs/deploy/kubernetes/ipfs-quorum.yaml'), 'utf8'))
    .map(document => document.toJS() as { kind: string, spec: { template: { spec: { initContainers: readonly { args: readonly string[] }[] } } } })
    .filter(({ kind }) => kind === 'StatefulSet').map(({ spec }) => spec.template.spec.initContainers[0]!.args[0]!)

  const { code, out, err } = await run(['sh', '-ec', script!.replaceAll('/identities', join(folder, 'identities'))], { ...env, IPFS_CLUSTER_PATH: join(folder, 'data'), CLUSTER_PEERNAME: 'ipfs-quorum-1' })

  t.equal(code, 0, err)
  t.equal(out.trim(), `init --peers ${lines[0]},${lines[2]}`)
  t.equal(await readFile(join(folder, 'data/identity.json'), 'utf8'), 'mine')
})

interface Ended { readonly code: number | null, readonly out: string, readonly err: string }
interface Machine {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly start: (name: string, env?: Readonly<Record<string, string>>) => Promise<Ended>
  readonly data: (name: string) => string
  readonly written: (name: string) => Promise<Written>
}

/** Containers that share a folder below this one. */
async function machine (folder: string): Promise<Machine> {
  for (const name of ['ipfs-cluster-service', 'id']) await chmod(join(folder, 'bin', name), 0o755)
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` }
  const data = (name: string): string => join(folder, name)
  return {
    folder,
    env,
    data,
    written: async name => JSON.parse(await readFile(join(data(name), 'service.json'), 'utf8')) as Written,
    async start (name, more = {}) {
      await Promise.all([data(name), join(folder, 'shared')].map(async path => await mkdir(path, { recursive: true })))
      return await run(['sh', entrypoint, 'daemon'], { ...env, IPFS_CLUSTER_PATH: data(name), IPFS_CLUSTER_SHARED: join(folder, 'shared'), IPFS_CLUSTER_PEERS: names.join(), CLUSTER_PEERNAME: name, CLUSTER_SECRET: '', ...more })
    }
  }
}

async function run ([command = '', ...args]: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { err += text })
  const [code] = await once(child, 'close') as [number | null]
  return { code, out, err }
}
