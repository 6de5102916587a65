import { ClusterError } from '../api/errors.ts'
import { pinToJson } from '../api/pin-json.ts'
import { linesAnswer, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { cidFromText } from './pin-query.ts'
import { RefusedError } from './rest-error.ts'
import type { RestCall } from './routes.ts'

/** The words of ipfs-cluster; all pins made here are of type `pin`. */
const pinTypes: readonly string[] = ['pin', 'meta-pin', 'clusterdag-pin', 'shard-pin', 'all']

/** The shared state: what should be pinned and by whom. */
export function listAllocations ({ cluster, query, signal }: RestCall): Answer {
  const wanted = (query.get('filter') ?? '').split(',').filter(word => word !== '')
  if (!wanted.every(word => pinTypes.includes(word))) throw new RefusedError(400, 'invalid filter value')

  async function * pins (): AsyncGenerator<object> {
    if (wanted.length > 0 && !wanted.includes('pin') && !wanted.includes('all')) return
    for await (const pin of cluster.state.list({ signal })) yield pinToJson(pin)
  }
  return linesAnswer(pins())
}

export async function oneAllocation ({ cluster, params }: RestCall): Promise<Answer> {
  const cid = cidFromText(params['cid']!)
  const entry = await cluster.state.get(cid)
  if (entry === undefined) throw new ClusterError('ERR_PIN_NOT_FOUND', `not pinned: ${cid.toString()}`)
  return valueAnswer(pinToJson(entry.pin))
}

/** `GET /allocations/{cid}/reasons`, an addition: each peer and why it would hold the pin or not, by what is known of the peers now. */
export async function allocationReasons ({ overview, params, signal }: RestCall): Promise<Answer> {
  const reasons = await overview.explain(cidFromText(params['cid']!), { signal })
  return valueAnswer(reasons.map(({ peer, isChosen, why, detail }) => ({ peer, chosen: isChosen, why, detail })))
}
