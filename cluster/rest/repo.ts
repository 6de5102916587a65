import type { PeerId } from '../api/pin.ts'
import { valueAnswer } from './answer.ts'
import { askedOf, localParameter } from './pins.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

/** ipfs-cluster's RepoGC: its error is of a peer that failed. */
interface CollectedJson { readonly peer: PeerId, readonly peername: string, readonly keys: { key: string | null, error?: string }[], error?: string }

export const repoRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/ipfs/gc',
    about: 'Collects garbage on the daemons; answers what each threw away, which may be nothing.',
    query: localParameter,
    answer: { kind: 'value', of: 'GlobalRepoGC' }
  }, async call => {
    const { cluster, query, signal } = call
    const details = await call.details()
    const asked = query.local ? [cluster.self] : (await cluster.id({ signal })).clusterPeers
    const peers = new Map<PeerId, CollectedJson>(asked.map(peer => [peer, { peer, peername: details(peer).peername, keys: [] }]))
    for await (const { peer, key, error, isOfPeer = false } of askedOf(call).repoGc({ signal })) {
      const collected = peers.get(peer) ?? { peer, peername: details(peer).peername, keys: [] }
      peers.set(peer, collected)
      if (isOfPeer) collected.error = error
      else collected.keys.push({ key: key === '' ? null : key, ...error !== '' && { error } })
    }
    return valueAnswer({ peer_map: Object.fromEntries(peers) })
  })
]
