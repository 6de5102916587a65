import type { PeerId } from '../api/pin.ts'
import { valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { askedOf } from './pins.ts'
import type { RestCall } from './routes.ts'

/** ipfs-cluster's GlobalRepoGC: what each peer's daemon threw away, which may be nothing. */
export async function collectGarbage (call: RestCall): Promise<Answer> {
  const { cluster, signal } = call
  const details = await call.details()
  const asked = askedOf(call) === cluster ? (await cluster.id({ signal })).clusterPeers : [cluster.self]
  const peers = new Map<PeerId, { key?: { '/': string }, error?: string }[]>(asked.map(peer => [peer, []]))
  for await (const { peer, key, error } of askedOf(call).repoGc({ signal })) {
    const keys = peers.get(peer) ?? []
    peers.set(peer, keys)
    keys.push({ ...key !== '' && { key: { '/': key } }, ...error !== '' && { error } })
  }
  return valueAnswer({ peer_map: Object.fromEntries([...peers].map(([peer, keys]) => [peer, { peer, peername: details(peer).peername, keys }])) })
}
