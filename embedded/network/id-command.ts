import type { EmbeddedNode } from '../node.ts'
import { command } from '../rpc/command.ts'
import type { Call, Command } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { listOf } from './go-list.ts'
import type { KnownPeer } from './host.ts'
import { parsePeerId, peerIdSpelling } from './peer-ids.ts'
import { connectTo } from './reach.ts'

const offlineText = "'ipfs id' cannot query information on remote peers without a running daemon; if you only want to convert --peerid-base, pass --offline option"

export function idCommand (node: EmbeddedNode): Command {
  return command({
    path: 'id',
    args: [{ name: 'peerid', kind: 'string', required: false, variadic: false, stdin: false }],
    options: { format: { type: 'string', aliases: ['f'] }, 'peerid-base': { type: 'string', fallback: 'b58mh' } },
    async run (call) {
      const { args: [asked], options } = call
      const spell = peerIdSpelling(options['peerid-base'])
      const peer = asked === undefined ? node.peerId : peerOf(asked)
      const { id, publicKey, addresses, agent, protocols } = peer === node.peerId ? await self(node, call) : await other(node, peer, call)
      const json = { ID: spell(id), PublicKey: publicKey, Addresses: listOf(addresses.map(address => `${address}/p2p/${id}`)), AgentVersion: agent, Protocols: listOf(protocols) }
      const fields: Readonly<Record<string, string>> = { id: json.ID, aver: agent, pubkey: publicKey, addrs: (json.Addresses ?? []).join('\n'), protocols: protocols.join('\n') }
      const text = options.format === undefined
        ? `${JSON.stringify(json, undefined, '\t')}\n\n`
        : options.format.replaceAll(/<(id|aver|pubkey|addrs|protocols)>/g, (_, name: string) => fields[name]!).replaceAll('\\n', '\n').replaceAll('\\t', '\t')
      return { kind: 'one', value: { json, text } }
    }
  })
}

function peerOf (text: string): string {
  try {
    return parsePeerId(text)
  } catch (err) {
    throw new KuboError('invalid peer id', { cause: err })
  }
}

async function self ({ peerId, publicKey, version, network }: EmbeddedNode, call: Pick<Call, 'signal'>): Promise<KnownPeer> {
  const known = { id: peerId, publicKey, agent: `kubo/${version}`, addresses: [], protocols: [] }
  if (!network.isOnline) return known
  const host = await network.host(call)
  return { ...known, addresses: host.addresses(), protocols: host.protocols() }
}

/** Connects to it first, unless the call says `offline`. */
async function other ({ network }: EmbeddedNode, peer: string, call: Call): Promise<KnownPeer> {
  const isOffline = call.options.offline === true
  if (!network.isOnline && !isOffline) throw new KuboError(offlineText)
  const nothing = { id: peer, publicKey: '', agent: '', addresses: [], protocols: [] }
  if (!network.isOnline) return nothing
  const host = await network.host(call)
  if (!isOffline) await connectTo(host, peer, [], call)
  return await host.find(peer) ?? nothing
}
