import { pause } from '../../cluster/async/pause.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Command, Emitted } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'
import { NotOnlineError } from './network.ts'
import { parsePeerId } from './peer-ids.ts'
import { connectTo } from './reach.ts'

const pingTimeoutMs = 10_000
const betweenMs = 1_000

export function pingCommand (node: EmbeddedNode): Command {
  return command({
    path: 'ping',
    args: [{ name: 'peer ID', kind: 'string', required: true, variadic: true, stdin: true }],
    options: { count: { type: 'int', aliases: ['n'], fallback: 10 } },
    async run ({ args: [asked = ''], options: { count }, signal }) {
      if (!node.network.isOnline) throw new NotOnlineError()
      const { peer, address } = await targetOf(asked)
      if (peer === node.peerId) throw new KuboError("error: can't ping self")
      if (count <= 0) throw new KuboError(`ping count must be greater than 0, was ${count}`)
      return { kind: 'many', values: pings(node, { peer, address, count }, signal) }
    }
  })
}

async function targetOf (text: string): Promise<{ peer: string, address: string | undefined }> {
  try {
    if (!text.startsWith('/')) return { peer: parsePeerId(text), address: undefined }
    const { parsePeerAddress } = await import('./addresses.ts')
    return parsePeerAddress(text, 'invalid p2p multiaddr')
  } catch (err) {
    throw new KuboError(`failed to parse peer address '${text}': ${messageOf(err)}`, { cause: err })
  }
}

async function * pings ({ network, clock }: EmbeddedNode, { peer, address, count }: { peer: string, address: string | undefined, count: number }, signal: AbortSignal): AsyncGenerator<Emitted> {
  const host = await network.host({ signal })
  const isKnown = address !== undefined || host.isConnected(peer) || ((await host.find(peer))?.addresses ?? []).length > 0
  if (!isKnown) {
    yield said(`Looking up peer ${peer}`)
    throw new KuboError('peer lookup failed: routing: not found')
  }
  yield said(`PING ${peer}.`)
  const timesMs: number[] = []
  for (let i = 0; i < count; i++) {
    try {
      const limited = { signal: AbortSignal.any([signal, AbortSignal.timeout(pingTimeoutMs)]) }
      await connectTo(host, peer, address === undefined ? [] : [address], limited)
      const timeMs = await host.ping(peer, limited)
      timesMs.push(timeMs)
      yield line({ Success: true, Time: Math.round(timeMs * 1e6), Text: '' }, `Pong received: time=${timeMs.toFixed(2)} ms\n`)
    } catch (err) {
      signal.throwIfAborted()
      yield line({ Success: false, Time: 0, Text: `Ping error: ${messageOf(err)}` }, `Ping error: ${messageOf(err)}\n`)
      break
    }
    await pause(clock, betweenMs, signal)
  }
  if (timesMs.length === 0) throw new KuboError('ping failed')
  yield said(`Average latency: ${(timesMs.reduce((sum, each) => sum + each, 0) / timesMs.length).toFixed(2)}ms`)
}

function said (text: string): Emitted {
  return line({ Success: true, Time: 0, Text: text }, `${text}\n`)
}
