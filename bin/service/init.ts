import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline/promises'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import { parseSource } from '../../cluster/config/service-json.ts'
import type { Environment } from '../../cluster/config/section.ts'
import type { Engine } from './engine.ts'
import { textOf } from './files.ts'
import { initFolder, readService } from './folder.ts'
import type { PeerFolder } from './folder.ts'

/**
 * `init`: writes the files and says so. With an address, the rest of the configuration is fetched from there at each start, and tried now.
 * What the Go program can be asked for and this one does not have is refused.
 */
export async function runInit (folder: PeerFolder, args: readonly string[], flags: Values, env: Environment): Promise<void> {
  const engine = engineAskedFor(flags.text('consensus'))
  if (engine === 'etcd' && flags.text('peers') !== undefined) throw new UsageError('init --peers: peers that agree by etcd find each other there; leave it out')
  if (flags.text('datastore') !== undefined) throw new UsageError('init --datastore: there is nothing to choose; a peer keeps its state in one store of its own')

  const overwrites = flags.is('force')
  if (!overwrites && await textOf(folder.serviceJson) !== undefined) throw new UsageError(`${folder.serviceJson} is there already; --force writes a new one over it`)

  const source = args[0] === undefined ? undefined : parseSource(args[0])
  const secret = flags.is('custom-secret') ? { CLUSTER_SECRET: await askedSecret() } : {}
  const ports = flags.is('randomports') ? await freePorts() : {}
  const written = await initFolder(folder, { env, overwrites, engine, given: { ...secret, ...ports, ...peersIn(flags.text('peers')) }, ...source !== undefined && { source } })
  process.stdout.write(written.map(path => `wrote ${path}\n`).join(''))
  if (source !== undefined) await trySource(folder, env)
}

/** @throws UsageError */
function engineAskedFor (written: string | undefined): Engine | undefined {
  if (written === undefined || written === 'raft' || written === 'etcd') return written
  throw new UsageError(`init --consensus: expected raft or etcd, by which the peers agree here; got ${JSON.stringify(written)}`)
}

/** Whether what is there can be used is better known now than at the first start; not being able to fetch it now is no hindrance. */
async function trySource (folder: PeerFolder, env: Environment): Promise<void> {
  try {
    await readService(folder, await readFile(folder.serviceJson, 'utf8'), env)
  } catch (err) {
    process.stderr.write(`warning: ${(err as Error).message}\n`)
  }
}

/** `--peers a,b`, as settings: who founds the cluster together with this peer, and where they are. @throws UsageError */
export function peersIn (written: string | undefined): Environment {
  const addresses = (written ?? '').split(',').map(address => address.trim()).filter(address => address !== '')
  const ids = addresses.map(address => /^\/(?:ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d+\/p2p\/(\w+)$/.exec(address)?.[1])
  const wrong = addresses.find((_address, i) => ids[i] === undefined)
  if (wrong !== undefined) throw new UsageError(`--peers: ${wrong} is no address of a peer with its id, like /ip4/10.0.0.1/tcp/9096/p2p/12D3Koo…`)
  return addresses.length === 0 ? {} : { CLUSTER_RAFT_INITPEERSET: [...new Set(ids)].join(','), CLUSTER_PEERADDRESSES: addresses.join(',') }
}

async function askedSecret (): Promise<string> {
  process.stderr.write('cluster secret (64 hexadecimal digits): ')
  for await (const line of createInterface({ input: process.stdin })) return line.trim()
  throw new UsageError('init --custom-secret: the input ended before there was a secret')
}

/** Ports that nobody listens on just now, as settings. */
async function freePorts (): Promise<Environment> {
  const doors = { CLUSTER_LISTENMULTIADDRESS: '0.0.0.0', CLUSTER_IPFSPROXY_LISTENMULTIADDRESS: '127.0.0.1', CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: '127.0.0.1' }
  const servers = Object.values(doors).map(host => createServer().listen(0, host))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  for (const server of servers) server.close()
  return Object.fromEntries(Object.entries(doors).map(([name, host], i) => [name, `/ip4/${host}/tcp/${ports[i]}`]))
}
