/** The quickstart of docker/compose.yml, walked as a newcomer does: what the file says is started, without an engine. */
import { mkdir, realpath } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readCompose, readDockerfile } from './harness/compose/compose-file.ts'
import { createContainers, whyNoContainers } from './harness/compose/containers.ts'
import type { Container } from './harness/compose/containers.ts'
import { eventually } from './harness/eventually.ts'
import { temporaryFolder } from './harness/folder.ts'

t.setTimeout(1_800_000)

const patience = { timeoutMs: 600_000, intervalMs: 1_000 }
const repo = fileURLToPath(new URL('..', import.meta.url))
const composePath = join(repo, 'docker/compose.yml')
const { services } = await readCompose(composePath)
const image = await readDockerfile(join(repo, 'docker/Dockerfile'))
const peers = ['cluster0', 'cluster1', 'cluster2'] as const
const ctl = async (peer: Container, ...args: readonly string[]): Promise<string> => await peer.exec(['ipfs-cluster-ctl', ...args])
/** Who led may just have died: what failed for that is asked for again. */
const added = async (peer: Container, file: string): Promise<string> => await eventually(`${file} is added`, async () => (await ctl(peer, 'add', '--quieter', `/opt/ipfs-quorum/${file}`)).trim(), patience)

async function isPinned (peer: Container, cid: string, names: readonly string[]): Promise<boolean> {
  const status = await ctl(peer, 'status', cid)
  return names.every(name => new RegExp(`> ${name} +: PINNED`).test(status))
}

const skip = await whyNoContainers() ?? false

t.test('three peers that know nothing but names become one cluster in whatever order they start, and add files while one is dead', { skip }, async t => {
  await using folder = await temporaryFolder()
  await using containers = await createContainers(folder.path)
  const start = async (service: string): Promise<Container> => await containers.start(await optionsOf(service, folder.path))
  const isHealthy = async (peer: Container): Promise<boolean> => await peer.exec(image.healthcheck).then(() => true, () => false)

  t.comment('cluster2 and cluster1 are there first, without their daemons; what founds is not what is named first')
  const [, one, two] = [undefined, await start('cluster1'), await start('cluster2')]
  for (const daemon of ['ipfs2', 'ipfs1', 'ipfs0']) await start(daemon)
  const zero = await start('cluster0')
  const running = [zero, one, two]
  const told = (): string => [zero, one, two].map(peer => peer.said()).join('\n')
  try {
    for (const peer of running) await eventually('a peer is healthy', async () => await isHealthy(peer), patience)

    t.comment('peers ls shows three that see two')
    const seen = (listed: string): boolean => peers.every(name => listed.includes(` | ${name} | Sees 2 other peers`))
    for (const peer of [zero, two]) await eventually('all see each other', async () => seen(await ctl(peer, 'peers', 'ls')), patience)

    t.comment('what is added through one is pinned on all')
    const cid = await added(one, 'LICENSE-MIT')
    await eventually('all three have it', async () => await isPinned(zero, cid, peers), patience)

    t.comment('one dies, the others go on')
    await two.kill()
    const second = await added(one, 'LICENSE-APACHE')
    await eventually('the two that are left have it', async () => await isPinned(one, second, ['cluster0', 'cluster1']), patience)

    t.comment('it comes back with what it had, and gets what it missed')
    const again = await start('cluster2')
    await eventually('all three have both', async () => await isPinned(again, cid, peers) && await isPinned(again, second, peers), patience)
    await eventually('all see each other again', async () => seen(await ctl(again, 'peers', 'ls')), patience)
    t.equal((await again.exec(['stat', '-c', '%u %a', '/data/ipfs-cluster/service.json'])).trim(), '1000 600', 'not as root')
  } catch (err) {
    t.comment(told())
    throw err
  }
})

/** As `docker compose` would start it; volumes stand under `folder`. */
async function optionsOf (name: string, folder: string): Promise<Parameters<Awaited<ReturnType<typeof createContainers>>['start']>[0]> {
  const { environment = {}, volumes = [], build, cap_add: capabilities, command = image.command } = services[name]!
  const mounts = await Promise.all(volumes.map(async volume => {
    const [from = '', to = ''] = volume.split(':')
    await mkdir(join(folder, from), { recursive: true }) // as the engine does, so they are root's
    return [join(folder, from), to] as const
  }))
  if (build === undefined) return { name, ...await kubo(mounts), links: [] }

  return {
    name,
    // An init between the two changes nothing that is looked at here.
    command: [...existsSync(image.entrypoint[0]!) ? image.entrypoint : image.entrypoint.slice(2), ...command],
    env: { ...image.env, ...environment },
    mounts: [...image.copies.map(([from, to]) => [join(repo, from), to] as const), ...mounts, [await realpath(process.execPath), '/usr/local/bin/node']],
    links: image.links,
    ...capabilities !== undefined && { capabilities: capabilities.map(name => name.toLowerCase()) }
  }
}

/** In place of Kubo's image: the Kubo that `IPFS_BIN` names as that image starts it, without the network; or the embedded daemon. */
async function kubo (mounts: ReadonlyArray<readonly [string, string]>): Promise<{ readonly command: readonly string[], readonly env: Record<string, string>, readonly mounts: ReadonlyArray<readonly [string, string]> }> {
  const node = [await realpath(process.execPath), '/usr/local/bin/node'] as const
  const binary = process.env['IPFS_BIN'] ?? ''
  if (binary === '') {
    return { command: ['node', '/repo/ipfs-compat-tests/harness/fixtures/embedded-as-kubo.ts', '/data/ipfs'], env: {}, mounts: [...mounts, node, [repo, '/repo']] }
  }
  const script = 'ipfs init --profile test && ipfs config Addresses.API /ip4/0.0.0.0/tcp/5001 && ipfs config --json Addresses.Swarm \'["/ip4/0.0.0.0/tcp/4001"]\' && exec ipfs daemon'
  return { command: ['sh', '-c', script], env: { IPFS_PATH: '/data/ipfs' }, mounts: [...mounts, [await realpath(binary), '/usr/local/bin/ipfs']] }
}
