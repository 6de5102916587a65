import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Command, Emitted } from '../rpc/command.ts'
import { NotOnlineError } from './network.ts'
import { parsePeerId } from './peer-ids.ts'

export function peeringCommands (node: EmbeddedNode): readonly Command[] {
  return [add(node), list(node), remove(node)]
}

function add ({ network }: EmbeddedNode): Command {
  return command({
    path: 'swarm/peering/add',
    args: [{ name: 'address', kind: 'string', required: true, variadic: true, stdin: false }],
    options: {},
    async run ({ args, signal }) {
      const { parsePeerAddress } = await import('./addresses.ts')
      const named = args.map(text => parsePeerAddress(text, 'invalid p2p multiaddr'))
      if (!network.isOnline) throw new NotOnlineError()
      await network.host({ signal })
      const peers = Map.groupBy(named, ({ peer }) => peer)
      return { kind: 'many', values: each([...peers], async ([peer, addresses]) => {
        network.peering.add({ peer, addresses: addresses.flatMap(({ address }) => address ?? []) })
        return line({ ID: peer, Status: 'success' }, `add ${peer} success\n`)
      }) }
    }
  })
}

function list ({ network }: EmbeddedNode): Command {
  return command({
    path: 'swarm/peering/ls',
    args: [],
    options: {},
    run () {
      if (!network.isOnline) throw new NotOnlineError()
      const peers = network.peering.list()
      const text = peers.map(({ peer, addresses }) => `${peer}\n${addresses.map(address => `\t${address}\n`).join('')}`).join('')
      return { kind: 'one', value: line({ Peers: peers.map(({ peer, addresses }) => ({ ID: peer, Addrs: addresses })) }, text) }
    }
  })
}

function remove ({ network }: EmbeddedNode): Command {
  return command({
    path: 'swarm/peering/rm',
    args: [{ name: 'ID', kind: 'string', required: true, variadic: true, stdin: false }],
    options: {},
    async run ({ args, signal }) {
      if (!network.isOnline) throw new NotOnlineError()
      const host = await network.host({ signal })
      return { kind: 'many', values: each(args, async text => {
        const peer = parsePeerId(text)
        network.peering.remove(peer)
        await host.keep(peer, false)
        return line({ ID: peer, Status: 'success' }, `remove ${peer} success\n`)
      }) }
    }
  })
}

async function * each<T> (items: readonly T[], answer: (item: T) => Promise<Emitted>): AsyncGenerator<Emitted> {
  for (const item of items) yield await answer(item)
}
