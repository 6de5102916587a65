import { goMap } from '../../cluster/api/kubo/go-json.ts'
import type { ArgumentSpec } from '../../cluster/api/kubo/request.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Answer, Command } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'
import type { Host, KnownPeer, OpenConnection } from './host.ts'
import { listOf } from './go-list.ts'
import { ActionOfflineError } from './network.ts'
import { connectTo, online } from './reach.ts'

const addressArgument: ArgumentSpec = { name: 'address', kind: 'string', required: true, variadic: true, stdin: true }
const directions = { inbound: 1, outbound: 2 } as const

export function swarmCommands (node: EmbeddedNode): readonly Command[] {
  return [peers(node), addrs(node), addrsLocal(node), addrsListen(node), connect(node), disconnect(node), filters(node)]
}

function strings (items: readonly string[]): Answer {
  return { kind: 'one', value: line({ Strings: listOf(items) }, items.map(item => `${item}\n`).join('')) }
}

function peers (node: EmbeddedNode): Command {
  return command({
    path: 'swarm/peers',
    args: [],
    options: { verbose: { type: 'bool', aliases: ['v'] }, streams: { type: 'bool' }, latency: { type: 'bool' }, direction: { type: 'bool' }, identify: { type: 'bool' } },
    async run (call) {
      const { verbose = false, streams = false, latency = false, direction = false, identify = false } = call.options
      const host = await online(node, call)
      const known = new Map(verbose || identify ? (await host.known()).map(peer => [peer.id, peer]) : [])
      const wanted = { latency: verbose || latency, direction: verbose || direction, streams: verbose || streams, identify: verbose || identify }
      const shown = host.connections().toSorted((a, b) => Buffer.compare(Buffer.from(a.address), Buffer.from(b.address))).map(connection => describe(connection, host, wanted, known.get(connection.peer)))
      return { kind: 'one', value: line({ Peers: listOf(shown.map(({ json }) => json)) }, shown.map(({ text }) => text).join('')) }
    }
  })
}

function describe ({ peer, address, direction, streams }: OpenConnection, host: Host, wanted: Readonly<Record<'latency' | 'direction' | 'streams' | 'identify', boolean>>, known: KnownPeer | undefined) {
  const latencyMs = host.latencyMs(peer)
  const latency = wanted.latency ? latencyMs === undefined ? 'n/a' : `${Number(latencyMs.toFixed(6))}ms` : undefined
  const json = {
    Addr: address,
    Peer: peer,
    Latency: latency,
    Direction: wanted.direction ? directions[direction] : undefined,
    Streams: wanted.streams && streams.length > 0 ? streams.map(Protocol => ({ Protocol })) : undefined,
    Identify: {
      ID: wanted.identify ? peer : '',
      PublicKey: known?.publicKey ?? '',
      Addresses: listOf((known?.addresses ?? []).map(each => `${each}/p2p/${peer}`)),
      AgentVersion: known?.agent ?? '',
      Protocols: listOf(known?.protocols ?? [])
    }
  }
  const words = [`${address}/p2p/${peer}`, ...latency === undefined ? [] : [latency], ...wanted.direction ? [direction] : []]
  return { json, text: `${words.join(' ')}\n${wanted.streams ? streams.map(name => `  ${name === '' ? '<no protocol name>' : name}\n`).join('') : ''}` }
}

function addrs (node: EmbeddedNode): Command {
  return command({
    path: 'swarm/addrs',
    args: [],
    options: {},
    async run (call) {
      const host = await online(node, call)
      const known = (await host.known()).filter(({ addresses }) => addresses.length > 0).map(({ id, addresses }) => [id, addresses] as const)
      const all = goMap([...known.filter(([id]) => id !== node.peerId), [node.peerId, host.addresses()]])
      const text = Object.entries(all).map(([id, addresses]) => `${id} (${addresses.length})\n${addresses.map(address => `\t${address}\n`).join('')}`).join('')
      return { kind: 'one', value: line({ Addrs: all }, text) }
    }
  })
}

function addrsLocal (node: EmbeddedNode): Command {
  return command({
    path: 'swarm/addrs/local',
    args: [],
    options: { id: { type: 'bool' } },
    async run (call) {
      const addresses = (await online(node, call)).addresses()
      return strings(call.options.id === true ? addresses.map(address => `${address}/p2p/${node.peerId}`) : addresses)
    }
  })
}

function addrsListen (node: EmbeddedNode): Command {
  return command({ path: 'swarm/addrs/listen', args: [], options: {}, run: async call => strings((await online(node, call)).addresses()) })
}

/** Peers in the order they are first named, with the addresses given for each. */
async function byPeer (texts: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const { parsePeerAddress } = await import('./addresses.ts')
  const found = new Map<string, string[]>()
  for (const text of texts) {
    const { peer, address } = parsePeerAddress(text, `found no ipfs peers at ${text}`)
    const addresses = found.get(peer) ?? []
    if (address !== undefined) addresses.push(address)
    found.set(peer, addresses)
  }
  return found
}

function connect (node: EmbeddedNode): Command {
  return command({
    path: 'swarm/connect',
    args: [addressArgument],
    options: {},
    async run (call) {
      const done: string[] = []
      for (const [peer, addresses] of await byPeer(call.args)) {
        try {
          const host = await online(node, call)
          if (peer === node.peerId) throw new KuboError('failed to dial: dial to self attempted')
          await connectTo(host, peer, addresses, call)
        } catch (err) {
          throw new KuboError(`connect ${peer} failure: ${messageOf(err)}`, { cause: err })
        }
        done.push(`connect ${peer} success`)
      }
      return strings(done)
    }
  })
}

function disconnect (node: EmbeddedNode): Command {
  return command({
    path: 'swarm/disconnect',
    args: [addressArgument],
    options: {},
    async run (call) {
      const done: string[] = []
      for (const [peer, addresses] of await byPeer(call.args)) {
        for (const address of addresses.length === 0 ? [undefined] : addresses) done.push(`disconnect ${peer} ${await cut(peer, address)}`)
      }
      return strings(done)

      async function cut (peer: string, address: string | undefined): Promise<string> {
        const host = await online(node, call).catch(messageOf)
        if (typeof host === 'string') return `failure: ${host}`
        if (await host.disconnect(peer, address)) return 'success'
        return `failure: ${address === undefined ? 'not connected' : 'conn not found'}`
      }
    }
  })
}

/** There are none, and none can be added. */
function filters ({ network }: EmbeddedNode): Command {
  return command({
    path: 'swarm/filters',
    args: [],
    options: {},
    run () {
      if (!network.isOnline) throw new ActionOfflineError()
      return strings([])
    }
  })
}
