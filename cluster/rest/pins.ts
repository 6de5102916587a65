import { ClusterError } from '../api/errors.ts'
import { pinToJson } from '../api/pin-json.ts'
import { trackerStatuses } from '../api/pin-info.ts'
import type { GlobalPinInfo, TrackerStatus } from '../api/pin-info.ts'
import type { ClusterOverview } from '../peer-ports.ts'
import type { CID } from 'multiformats/cid'
import { linesAnswer, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { pinInfoToJson } from './answers.ts'
import { eachInOrder, pageOf, pageParameters } from './listing.ts'
import { cids, filter, flag, parseCid, word } from './parameters.ts'
import type { ValuesOf } from './parameters.ts'
import { cidFromText, pinOptionsOf, pinParameters } from './pin-query.ts'
import { RefusedError } from './rest-error.ts'
import { route } from './route.ts'
import type { RestCall, Route } from './route.ts'

const groups = { error: ['cluster_error', 'pin_error', 'unpin_error'], queued: ['pin_queued', 'unpin_queued'] } as const satisfies Record<string, readonly TrackerStatus[]>
const namespaces: readonly string[] = ['ipfs', 'ipns', 'ipld']
const pathCharactersShown = 200
const cidsMax = 10_000
const cidsAtOnce = 32

/** With it no other peer is asked. */
export const localParameter = { local: flag('Ask this peer only.') } as const

/** How long an answer is held back is an addition: ipfs-cluster answers when a pin is agreed, and how it goes on is for `GET /pins/{cid}` to say. */
const pinQuery = {
  ...pinParameters,
  wait: word('What the answer waits for: that it is agreed, that enough peers hold it, that all chosen ones do. An addition.', ['commit', 'min', 'all'], 'commit')
} as const

const byPath = 'The path after /ipfs, /ipns or /ipld is resolved by the daemon.'

export const pinRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/pins',
    about: 'Where all pins stand, in the order of the CIDs\' bytes; those of `cids` in the order asked for.',
    query: {
      ...localParameter,
      filter: filter('Statuses, with commas between; error and queued are groups of them.', [...trackerStatuses, 'error', 'queued']),
      cids: cids('Only these, pinned or not. Then the filter says nothing.', cidsMax),
      ...pageParameters
    },
    answer: { kind: 'lines', of: 'GlobalPinInfo' }
  }, call => {
    const { query, signal } = call
    if (query.cids.length === 0) return infoLines(call, pageOf(askedOf(call).statusAll(statusesOf(query.filter), { signal }), query))
    return infoLines(call, eachInOrder(query.cids, cidsAtOnce, async cid => await askedOf(call).status(cid, { signal })))
  }),

  route({
    method: 'GET',
    path: '/pins/:cid',
    about: 'Where one pin stands. What nobody pins is unpinned everywhere, never 404.',
    query: localParameter,
    answer: { kind: 'value', of: 'GlobalPinInfo' }
  }, async call => {
    const info = await askedOf(call).status(cidFromText(call.path['cid']!), { signal: call.signal })
    return valueAnswer(pinInfoToJson(info, await call.details(), call.clock.now()))
  }),

  route({
    method: 'POST',
    path: '/pins/:cid',
    about: 'Pins content.',
    query: pinQuery,
    takesMetadata: true,
    answer: { kind: 'value', of: 'Pin' },
    refusals: [404]
  }, async call => await pin(call, () => cidFromText(call.path['cid']!))),

  route({
    method: 'POST',
    path: '/pins/:namespace/*',
    about: `Pins what a path leads to. ${byPath}`,
    query: pinQuery,
    takesMetadata: true,
    answer: { kind: 'value', of: 'Pin' },
    refusals: [404]
  }, async call => await pin(call, async () => await call.cluster.resolve(pathOf(call), { signal: call.signal }))),

  route({
    method: 'DELETE',
    path: '/pins/:cid',
    about: 'Unpins content; answers the pin that went.',
    answer: { kind: 'value', of: 'Pin' },
    refusals: [404]
  }, async ({ cluster, path, signal }) => valueAnswer(pinToJson(await cluster.unpin(cidFromText(path['cid']!), { signal })))),

  route({
    method: 'DELETE',
    path: '/pins/:namespace/*',
    about: `Unpins what a path leads to; answers the pin that went. ${byPath}`,
    answer: { kind: 'value', of: 'Pin' },
    refusals: [404]
  }, async call => {
    const { cluster, signal } = call
    return valueAnswer(pinToJson(await cluster.unpin(await cluster.resolve(pathOf(call), { signal }), { signal })))
  }),

  route({
    method: 'POST',
    path: '/pins/:cid/recover',
    about: 'Tries a pin again that has failed. What nobody pins is unpinned everywhere, but for one peer alone (local) 404, as in ipfs-cluster.',
    query: localParameter,
    answer: { kind: 'value', of: 'GlobalPinInfo' },
    refusals: [404]
  }, async call => {
    const cid = cidFromText(call.path['cid']!)
    const info = await askedOf(call).recover(cid, { signal: call.signal })
    if (call.query.local && info.createdMs === 0 && info.peers.every(({ status }) => status === 'unpinned')) throw notPinned(cid)
    return valueAnswer(pinInfoToJson(info, await call.details(), call.clock.now()))
  }),

  route({
    method: 'POST',
    path: '/pins/recover',
    about: 'Tries all pins again that have failed, are missing or too much; answers those.',
    query: localParameter,
    answer: { kind: 'lines', of: 'GlobalPinInfo' }
  }, call => infoLines(call, askedOf(call).recoverAll({ signal: call.signal })))
]

/** This peer alone, or all. */
export function askedOf ({ cluster, overview, query }: RestCall<ValuesOf<typeof localParameter>>): ClusterOverview['here'] {
  return query.local ? overview.here : cluster
}

async function pin ({ cluster, clock, query, metadata, signal }: RestCall<ValuesOf<typeof pinQuery>>, find: () => CID | Promise<CID>): Promise<Answer> {
  const options = pinOptionsOf(query, metadata, { nowMs: clock.now(), defaults: cluster.defaults })
  const cid = await find()
  const { pinUpdate } = options
  if (pinUpdate !== undefined && await cluster.state.get(pinUpdate) === undefined) throw notPinned(pinUpdate)
  const json = pinToJson(await cluster.pin(cid, options, { signal, wait: query.wait }))
  // Told to who asked for them and kept nowhere, as in ipfs-cluster.
  return valueAnswer({ ...json, user_allocations: options.userAllocations.length === 0 ? null : options.userAllocations })
}

function notPinned (cid: CID): ClusterError {
  return new ClusterError('ERR_PIN_NOT_FOUND', `not pinned: ${cid.toString()}`)
}

function statusesOf (words: ReadonlyArray<TrackerStatus | keyof typeof groups>): ReadonlySet<TrackerStatus> {
  const statuses = words.flatMap<TrackerStatus>(word => word === 'error' || word === 'queued' ? groups[word] : word)
  return new Set(statuses.length === 0 ? trackerStatuses : statuses)
}

function infoLines<Q> ({ details, clock }: RestCall<Q>, infos: AsyncIterable<GlobalPinInfo>): Answer {
  async function * lines (): AsyncGenerator<object> {
    const known = await details()
    for await (const info of infos) yield pinInfoToJson(info, known, clock.now())
  }
  return linesAnswer(lines())
}

function pathOf<Q> ({ path: { namespace = '', '*': rest = '' } }: RestCall<Q>): string {
  if (!namespaces.includes(namespace)) throw new RefusedError(404, 'not found')
  const path = `/${namespace}/${rest}`
  if (namespace !== 'ipns') assertCid(rest.split('/').find(step => step !== '') ?? '', path)
  return path
}

/** What no daemon could find is refused as wrong before one is asked, as in ipfs-cluster. */
function assertCid (root: string, path: string): void {
  try {
    parseCid(root)
  } catch (err) {
    throw new RefusedError(400, `error parsing path: invalid path ${JSON.stringify(path.slice(0, pathCharactersShown))}: ${(err as Error).message}`)
  }
}
