import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline/promises'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import type { Environment } from '../../cluster/config/section.ts'
import { initFolder, textOf } from './folder.ts'
import type { PeerFolder } from './folder.ts'

/** `init`: writes the files and says so. What the Go program can be asked for and this one does not have is refused. */
export async function runInit (folder: PeerFolder, args: readonly string[], flags: Values, env: Environment): Promise<void> {
  if (args.length > 0) throw new UsageError('init: a configuration that is fetched from an address is not supported; run init without one and edit service.json')
  if (flags.text('consensus') !== 'raft') throw new UsageError(`init --consensus: expected raft, got ${JSON.stringify(flags.text('consensus'))}`)
  if (flags.text('datastore') !== undefined) throw new UsageError('init --datastore: there is nothing to choose; a peer keeps its state in one store of its own')

  const overwrites = flags.is('force')
  if (!overwrites && await textOf(folder.serviceJson) !== undefined) throw new UsageError(`${folder.serviceJson} is there already; --force writes a new one over it`)

  const secret = flags.is('custom-secret') ? { CLUSTER_SECRET: await askedSecret() } : {}
  const ports = flags.is('randomports') ? await freePorts() : {}
  const written = await initFolder(folder, { env, overwrites, given: { ...secret, ...ports, ...peersIn(flags.text('peers')) } })
  process.stdout.write(written.map(path => `wrote ${path}\n`).join(''))
}

/** `--peers a,b`, as settings: who founds the cluster together with this peer, and where they are. @throws UsageError */
function peersIn (written: string | undefined): Environment {
  const addresses = (written ?? '').split(',').map(address => address.trim()).filter(address => address !== '')
  const ids = addresses.map(address => /^\/(?:ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d+\/p2p\/(\w+)$/.exec(address)?.[1])
  const wrong = addresses.find((_address, i) => ids[i] === undefined)
  if (wrong !== undefined) throw new UsageError(`init --peers: ${wrong} is no address of a peer with its id, like /ip4/10.0.0.1/tcp/9096/p2p/12D3Koo…`)
  return addresses.length === 0 ? {} : { CLUSTER_RAFT_INITPEERSET: [...new Set(ids)].join(','), CLUSTER_PEERADDRESSES: addresses.join(',') }
}

async function askedSecret (): Promise<string> {
  const input = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await input.question('cluster secret (64 hexadecimal digits): ')).trim()
  } finally {
    input.close()
  }
}

/** Two ports that nobody listens on just now, as settings. */
async function freePorts (): Promise<Environment> {
  const names = ['CLUSTER_IPFSPROXY_LISTENMULTIADDRESS', 'CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS']
  const servers = names.map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  return Object.fromEntries(names.map((name, i) => [name, `/ip4/127.0.0.1/tcp/${ports[i]}`]))
}
