import { ClusterError } from '../../cluster/api/errors.ts'
import { pause } from '../../cluster/async/pause.ts'
import type { Clock } from '../../cluster/clock.ts'
import { parseEndpoint, urlOf } from '../../cluster/config/endpoint.ts'
import type { Endpoint } from '../../cluster/config/endpoint.ts'
import type { Logger } from '../../cluster/log.ts'
import { bringOver } from './bring-over.ts'
import { textOf, writePrivately } from './files.ts'
import type { PeerFolder } from './folder.ts'
import { kuboCaller, versionAt } from './kubo.ts'
import type { PeerConfigs } from './sections.ts'

/** The daemon that this peer works with, until it is disposed. */
export interface ChosenDaemon extends AsyncDisposable {
  readonly endpoint: Endpoint
  /** In words, for the panel. */
  readonly description: string
  readonly isEmbedded: boolean
}

export interface ChoiceComponents {
  readonly folder: PeerFolder
  readonly clock: Clock
  readonly log: Logger
  /** Tells whoever started the peer what takes time. */
  readonly say: (line: string) => void
}

const watchEveryMs = 60_000

/** What `daemon.json` remembers. */
type Used = 'kubo' | 'embedded'

/**
 * Which daemon to use. The configured Kubo whenever it answers; what the embedded daemon had pinned before is brought over to it first.
 * The embedded one only where no Kubo has ever been used: a Kubo that is down for a moment must not lead to pins in another place.
 */
export async function chooseDaemon (components: ChoiceComponents, configs: PeerConfigs, signal: AbortSignal): Promise<ChosenDaemon> {
  const { folder, say } = components
  const { nodeMultiaddress: endpoint, apiAuth } = configs.ipfsHttp
  refuseOurselves(configs)
  const { use, swarmAddresses } = configs.embedded
  const used = await usedBefore(folder)
  if (use === 'always') return await embeddedDaemon(components, swarmAddresses, 'as configured', signal)

  const version = await versionAt(endpoint, apiAuth, signal)
  if (version === undefined) {
    if (use === 'auto' && used !== 'kubo') return await embeddedDaemon(components, swarmAddresses, `no Kubo answers at ${endpoint.multiaddr}`, signal)
    say(`The Kubo at ${endpoint.multiaddr} does not answer; it is used as soon as it does.`)
    return { endpoint, description: `Kubo at ${urlOf(endpoint)} (does not answer yet)`, isEmbedded: false, [Symbol.asyncDispose]: async () => {} }
  }
  if (used === 'embedded') await moveToKubo(components, { endpoint, apiAuth }, signal)
  await remember(folder, 'kubo')
  return { endpoint, description: `Kubo${version === 'unnamed' ? '' : ` ${version}`} at ${urlOf(endpoint)}`, isEmbedded: false, [Symbol.asyncDispose]: async () => {} }
}

/**
 * Tells once when a Kubo answers at the configured address while the embedded daemon does the work. It is not changed over to in the
 * middle of that: clients would see two daemons.
 */
export async function watchForKubo ({ clock, say }: Pick<ChoiceComponents, 'clock' | 'say'>, { ipfsHttp, embedded }: PeerConfigs, signal: AbortSignal): Promise<void> {
  const { nodeMultiaddress: endpoint, apiAuth } = ipfsHttp
  if (embedded.use === 'always') return
  do await pause(clock, watchEveryMs, signal)
  while (await versionAt(endpoint, apiAuth, signal) === undefined)
  say(`A Kubo answers at ${endpoint.multiaddr} now. The next start of this peer uses it, and brings the embedded daemon's pins over to it.`)
}

async function embeddedDaemon ({ folder, clock, log }: ChoiceComponents, swarmAddresses: readonly string[], why: string, signal: AbortSignal): Promise<ChosenDaemon> {
  const { createEmbeddedDaemon } = await import('../../embedded/daemon.ts')
  const daemon = createEmbeddedDaemon({ clock, log: log.for('embedded') }, {
    stores: { folder: folder.embedded }, port: 0, ...swarmAddresses.length > 0 && { kuboConfig: { Addresses: { Swarm: swarmAddresses } } }
  })
  await daemon.start({ signal })
  await remember(folder, 'embedded')
  const { host, port } = daemon.address()
  const endpoint = parseEndpoint(`/ip4/${host}/tcp/${port}`)
  return { endpoint, description: `embedded (${why}), at ${urlOf(endpoint)}`, isEmbedded: true, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() }
}

/** What was pinned in the embedded daemon is nowhere else: it goes along before anything is asked of the Kubo. */
async function moveToKubo (components: ChoiceComponents, { endpoint, apiAuth }: { endpoint: Endpoint, apiAuth: string | undefined }, signal: AbortSignal): Promise<void> {
  const { say } = components
  say(`A Kubo answers at ${endpoint.multiaddr}: it takes the place of the embedded daemon. Its pins are brought over first.`)
  await using from = await embeddedDaemon(components, [], '', signal)
  await using source = kuboCaller(from.endpoint)
  await using target = kuboCaller(endpoint, apiAuth)
  try {
    const pins = await bringOver(source, target, signal, count => say(`  ${count} pins brought over`))
    say(`All ${pins} pins of the embedded daemon are in the Kubo now. What is left in ${components.folder.embedded} is not used any more.`)
  } catch (err) {
    signal.throwIfAborted()
    throw new ClusterError('ERR_IPFS_UNREACHABLE', `the embedded daemon's pins could not be brought over to the Kubo at ${endpoint.multiaddr}: ${(err as Error).message}. Nothing is lost; to go on without the Kubo, set ipfs_connector.embedded.use to "always"`, { cause: err })
  }
}

/** A daemon address that is our own would make each request call itself. */
function refuseOurselves ({ proxy, rest, ipfsHttp }: PeerConfigs): void {
  const doors = [...proxy.listenMultiaddress, ...rest.httpListenMultiaddress]
  for (const [setting, address] of [['ipfs_connector.ipfshttp', ipfsHttp.nodeMultiaddress], ['api.ipfsproxy', proxy.nodeMultiaddress]] as const) {
    const door = doors.find(door => isSame(door, address))
    if (door !== undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', `${setting}.node_multiaddress: ${address.multiaddr} is where this peer itself listens (${door.multiaddr}); name the address of the Kubo's API`)
  }
}

function isSame (door: Endpoint, address: Endpoint): boolean {
  if (door.kind === 'unix' || address.kind === 'unix') return door.kind === 'unix' && address.kind === 'unix' && door.path === address.path
  if (door.port !== address.port || door.port === 0) return false
  return door.host === address.host || (isHere(door.host) && isHere(address.host))
}

const isHere = (host: string): boolean => host === 'localhost' || host.startsWith('127.') || host === '::1' || host === '0.0.0.0' || host === '::'

async function usedBefore ({ daemonJson }: PeerFolder): Promise<Used | undefined> {
  const text = await textOf(daemonJson)
  if (text === undefined) return undefined
  const { used } = JSON.parse(text) as { used?: unknown }
  return used === 'kubo' || used === 'embedded' ? used : undefined
}

async function remember (folder: PeerFolder, used: Used): Promise<void> {
  if (await usedBefore(folder) !== used) await writePrivately(folder.daemonJson, `${JSON.stringify({ used })}\n`)
}
