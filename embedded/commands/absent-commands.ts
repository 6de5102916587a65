import type { ArgumentSpec, OptionTable } from '../../cluster/api/kubo/request.ts'
import { command, line } from '../rpc/command.ts'
import type { Command } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'

const text = (name: string, required = true, variadic = false): ArgumentSpec => ({ name, kind: 'string', required, variadic, stdin: false })
const pubsubOff = 'experimental pubsub feature not enabled, run daemon with --enable-pubsub-experiment to use'
const p2pOff = 'libp2p stream mounting not enabled'
const filestoreOff = 'filestore is not enabled, see https://git.io/vNItf'
const service = { service: { type: 'string' } } as const satisfies OptionTable

/** Subcommands of Kubo's that are not here. Without their names here they would be taken for an argument of the command before them. */
export const absentNames: ReadonlySet<string> = new Set([
  'bootstrap/add', 'bootstrap/rm', 'commands/completion', 'config/edit', 'swarm/addrs/autonat', 'swarm/filters/add', 'swarm/filters/rm', 'version/check', 'version/deps'
])

/** What a Kubo has that is switched off until its owner says otherwise, and what it answers then. Here it cannot be switched on. */
export const absentCommands: readonly Command[] = [
  off('pubsub/ls', pubsubOff), off('pubsub/peers', pubsubOff, [text('topic', false)]), off('pubsub/sub', pubsubOff, [text('topic')]),
  off('pubsub/pub', pubsubOff, [text('topic'), { name: 'data', kind: 'file', required: true, variadic: false, stdin: true }]),
  off('p2p/ls', p2pOff), off('p2p/close', p2pOff), off('p2p/stream/ls', p2pOff), off('p2p/stream/close', p2pOff, [text('id', false)]),
  off('p2p/forward', p2pOff, [text('protocol'), text('listen-address'), text('target-address')]), off('p2p/listen', p2pOff, [text('protocol'), text('target-address')]),
  off('filestore/ls', filestoreOff, [text('obj', false, true)]), off('filestore/verify', filestoreOff, [text('obj', false, true)]), off('filestore/dups', filestoreOff),
  command({ path: 'name/pubsub/state', args: [], options: {}, run: () => ({ kind: 'one', value: line({ Enabled: false }, 'disabled\n') }) }),
  ...remotePinning()
]

function off (path: string, why: string, args: readonly ArgumentSpec[] = []): Command {
  return command({ path, args, options: {}, run () { throw new KuboError(why) } })
}

/** Services that pin elsewhere: there are none, and none can be added, because their keys would lie here unguarded. */
function remotePinning (): readonly Command[] {
  const unknown = (path: string, args: readonly ArgumentSpec[]): Command => command({
    path,
    args,
    options: service,
    run ({ options: { service: name } }) {
      if (name === undefined) throw new KuboError('a service name must be passed')
      throw new KuboError(name === '' ? 'remote pinning service name not specified' : 'service not known')
    }
  })
  return [
    unknown('pin/remote/add', [text('ipfs-path')]), unknown('pin/remote/ls', []), unknown('pin/remote/rm', []),
    command({ path: 'pin/remote/service/ls', args: [], options: { stat: { type: 'bool', fallback: false } }, run: () => ({ kind: 'one', value: line({ RemoteServices: [] }, '') }) }),
    command({ path: 'pin/remote/service/rm', args: [text('service')], options: {}, run: () => ({ kind: 'nothing' }) }),
    command({
      path: 'pin/remote/service/add',
      args: [text('service'), text('endpoint'), text('key')],
      options: {},
      run ({ args }) {
        checkEndpoint(args[1]!)
        throw new KuboError('the embedded daemon keeps no keys of other services: a real Kubo does')
      }
    })
  ]
}

function checkEndpoint (endpoint: string): void {
  const url = URL.parse(endpoint)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new KuboError('service endpoint must be a valid HTTP URL')
  if (url.search !== '') throw new KuboError('service endpoint should be provided without any query parameters')
  if (/\/pins\/*$/.test(url.pathname)) throw new KuboError('service endpoint should be provided without the /pins suffix')
}
