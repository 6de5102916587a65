/** What Kubo answers without routing: `Routing.Type` is `none` here. */
import type { ArgumentSpec } from '../../cluster/api/kubo/request.ts'
import { parsePath } from '../dag/cid-text.ts'
import { resolveArgument } from '../dag/resolve.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Command, Emitted } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { ActionOfflineError, NotOnlineError } from './network.ts'
import { parsePeerId } from './peer-ids.ts'

const notFound = 'routing: not found'
const verbose = { verbose: { type: 'bool', aliases: ['v'] } } as const
const many = (name: string): ArgumentSpec => ({ name, kind: 'string', required: true, variadic: true, stdin: true })

export function routingCommands (node: EmbeddedNode): readonly Command[] {
  return [findProviders(node), findPeer(node), get(node), provide(node), ...['bootstrap', 'bootstrap/list'].map(bootstrapList)]
}

function findProviders ({ network }: EmbeddedNode): Command {
  return command({
    path: 'routing/findprovs',
    args: [many('key')],
    options: { ...verbose, 'num-providers': { type: 'int', aliases: ['n'], fallback: 20 } },
    run ({ args: [key = ''], options }) {
      if (!network.isOnline) throw new NotOnlineError()
      if (options['num-providers'] < 1) throw new KuboError('number of providers must be greater than 0')
      parsePath(key)
      return { kind: 'many', values: nothing() }
    }
  })
}

async function * nothing (): AsyncGenerator<never> { /* nobody knows */ }

function findPeer ({ network }: EmbeddedNode): Command {
  return command({
    path: 'routing/findpeer',
    args: [many('peerID')],
    options: verbose,
    run ({ args: [peer = ''] }) {
      if (!network.isOnline) throw new NotOnlineError()
      parsePeerId(peer)
      return { kind: 'many', values: failing() }
    }
  })
}

/** Kubo tells the error as an event, then ends with it. */
async function * failing (): AsyncGenerator<Emitted> {
  yield line({ Extra: notFound, ID: '', Responses: null, Type: 3 }, '')
  throw new KuboError(notFound)
}

function get ({ network }: EmbeddedNode): Command {
  return command({
    path: 'routing/get',
    args: [many('key')],
    options: verbose,
    run () {
      if (!network.isOnline) throw new ActionOfflineError()
      throw new KuboError(notFound)
    }
  })
}

function provide (node: EmbeddedNode): Command {
  return command({
    path: 'routing/provide',
    args: [many('key')],
    options: { ...verbose, recursive: { type: 'bool', aliases: ['r'] } },
    async run ({ args, signal }) {
      const { network, blocks } = node
      if (!network.isOnline) throw new NotOnlineError()
      if ((await network.host({ signal })).connections().length === 0) throw new KuboError('cannot provide, no connected peers')
      for (const arg of args) {
        const { cid } = await resolveArgument(arg, blocks, { signal, offline: true })
        if (!blocks.has(cid)) throw new KuboError(`block ${cid.toString()} not found locally, cannot provide`)
      }
      return { kind: 'many', values: nothing() }
    }
  })
}

function bootstrapList (path: string): Command {
  return command({ path, args: [], options: {}, run: () => ({ kind: 'one', value: line({ Peers: [] }, '') }) })
}
