import type { AbortOptions } from '../../cluster/ports.ts'
import type { EmbeddedNode } from '../node.ts'
import type { Call } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import type { Host } from './host.ts'
import { ActionOfflineError } from './network.ts'

/** Connects, or says in Kubo's words that there is nobody to ask where the peer might be. @throws KuboError */
export async function connectTo (host: Host, peer: string, addresses: readonly string[], options: AbortOptions): Promise<void> {
  if (!host.isConnected(peer) && addresses.length === 0 && ((await host.find(peer))?.addresses ?? []).length === 0) throw new KuboError('routing: not found')
  await host.connect(peer, addresses, options)
}

/** The host of a daemon that is online, for a call that is. */
export async function online ({ network }: EmbeddedNode, call: Pick<Call, 'options' | 'signal'>): Promise<Host> {
  if (!network.isOnline || call.options.offline === true) throw new ActionOfflineError()
  return await network.host(call)
}
