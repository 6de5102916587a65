import type { PeerId } from '../api/pin.ts'
import { valueAnswer } from './answer.ts'
import { askedOf, localParameter } from './pins.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

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
    const peers = new Map<PeerId, { key: string | null, error?: string }[]>(asked.map(peer => [peer, []]))
    for await (const { peer, key, error } of askedOf(call).repoGc({ signal })) {
      const keys = peers.get(peer) ?? []
      peers.set(peer, keys)
      keys.push({ key: key === '' ? null : key, ...error !== '' && { error } })
    }
    return valueAnswer({ peer_map: Object.fromEntries([...peers].map(([peer, keys]) => [peer, { peer, peername: details(peer).peername, keys }])) })
  })
]
