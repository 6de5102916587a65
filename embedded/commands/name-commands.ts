import { parseGoDurationMs } from '../../cluster/api/kubo/go-values.ts'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { fromUri, parsePath } from '../dag/cid-text.ts'
import { unresolvable } from '../dag/resolve.ts'
import { peerIdSpelling } from '../network/peer-ids.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Command } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'

/** Names of keys: nothing is published from here and no routing is asked, so none is known. */
export function nameCommands (node: EmbeddedNode): readonly Command[] {
  return [nameResolve(node), ...['key/list', 'key/ls'].map(path => keyList(node, path))]
}

function nameResolve (node: EmbeddedNode): Command {
  return command({
    path: 'name/resolve',
    args: [{ name: 'name', kind: 'string', required: false, variadic: false, stdin: false }],
    options: {
      recursive: { type: 'bool', aliases: ['r'], fallback: true },
      nocache: { type: 'bool', aliases: ['n'] },
      'dht-record-count': { type: 'uint', aliases: ['dhtrc'], fallback: 16 },
      'dht-timeout': { type: 'string', aliases: ['dhtt'], fallback: '1m0s' },
      stream: { type: 'bool', aliases: ['s'] }
    },
    run (call) {
      const limit = call.options['dht-timeout']
      const limitMs = parseGoDurationMs(limit)
      if (limitMs === undefined) throw new KuboError(`time: invalid duration ${quoteGo(limit)}`)
      if (limitMs < 0) throw new KuboError('DHT timeout value must be >= 0')
      const name = call.args[0] ?? node.peerId
      const text = fromUri(name)
      const path = parsePath(text.startsWith('/') ? text : `/ipns/${text}`)
      if (path.namespace !== 'ipns') {
        throw new KuboError(`${quoteGo(name)} is not an IPNS name`)
      }
      const unknown = unresolvable(path.text)
      if (call.options.stream === true && unknown.message === 'could not resolve name') return { kind: 'nothing' }
      throw unknown
    }
  })
}

function keyList ({ peerId }: EmbeddedNode, path: string): Command {
  return command({
    path,
    args: [],
    options: { l: { type: 'bool' }, 'ipns-base': { type: 'string', fallback: 'base36' } },
    run ({ options: { l: long = false, 'ipns-base': base } }) {
      const id = spelled(peerId, base)
      return { kind: 'one', value: line({ Keys: [{ Name: 'self', Id: id }] }, long ? `${id} self \n` : 'self\n') }
    }
  })
}

function spelled (peerId: string, base: string): string {
  try {
    return peerIdSpelling(base)(peerId)
  } catch (err) {
    throw new KuboError(`cannot get key encoder: ${(err as Error).message}`, { cause: err })
  }
}
