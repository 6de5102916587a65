import { ClusterError } from '../api/errors.ts'
import { pinToJson } from '../api/pin-json.ts'
import { linesAnswer, valueAnswer } from './answer.ts'
import { pageOf, pageParameters } from './listing.ts'
import { filter } from './parameters.ts'
import { cidFromText } from './pin-query.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

/** The shared state: what should be pinned and by whom. */
export const allocationRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/allocations',
    about: 'What should be pinned and by whom, in the order of the CIDs\' bytes.',
    query: {
      filter: filter('Types of pins, with commas between. All pins made here are of the type pin; Go\'s other ones are sharded adds.', ['pin', 'meta-pin', 'clusterdag-pin', 'shard-pin', 'all']),
      ...pageParameters
    },
    answer: { kind: 'lines', of: 'Pin' }
  }, ({ cluster, query, signal }) => {
    async function * pins (): AsyncGenerator<object> {
      if (query.filter.length > 0 && !query.filter.includes('pin') && !query.filter.includes('all')) return
      for await (const pin of pageOf(cluster.state.list({ signal, after: query.after }), query)) yield pinToJson(pin)
    }
    return linesAnswer(pins())
  }),

  route({
    method: 'GET',
    path: '/allocations/:cid',
    about: 'One pin: what should be pinned and by whom.',
    answer: { kind: 'value', of: 'Pin' },
    refusals: [404]
  }, async ({ cluster, path }) => {
    const cid = cidFromText(path['cid']!)
    const entry = await cluster.state.get(cid)
    if (entry === undefined) throw new ClusterError('ERR_PIN_NOT_FOUND', `not pinned: ${cid.toString()}`)
    return valueAnswer(pinToJson(entry.pin))
  }),

  route({
    method: 'GET',
    path: '/allocations/:cid/reasons',
    about: 'Each peer and why it would hold the pin or not, by what is known of the peers now. An addition.',
    answer: { kind: 'list', of: 'AllocationReason' },
    refusals: [404]
  }, async ({ overview, path, signal }) => {
    const reasons = await overview.explain(cidFromText(path['cid']!), { signal })
    return valueAnswer(reasons.map(({ peer, isChosen, why, detail }) => ({ peer, chosen: isChosen, why, detail })))
  })
]
