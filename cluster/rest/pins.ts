import { pinToJson } from '../api/pin-json.ts'
import { trackerStatuses } from '../api/pin-info.ts'
import type { GlobalPinInfo, TrackerStatus } from '../api/pin-info.ts'
import type { PinOptions } from '../api/pin.ts'
import type { ClusterOverview } from '../peer-ports.ts'
import { linesAnswer, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { pinInfoToJson } from './answers.ts'
import { cidFromText, pinOptionsFromQuery } from './pin-query.ts'
import { RefusedError } from './rest-error.ts'
import type { RestCall } from './routes.ts'

const groups: Readonly<Record<string, readonly TrackerStatus[]>> = {
  error: ['cluster_error', 'pin_error', 'unpin_error'],
  queued: ['pin_queued', 'unpin_queued']
}
const namespaces: readonly string[] = ['ipfs', 'ipns', 'ipld']

/** Answers when it is agreed, as ipfs-cluster does: how it goes on is for `GET /pins/{cid}` to say. */
export async function pinCid (call: RestCall): Promise<Answer> {
  const { cluster, params, signal } = call
  const cid = cidFromText(params['cid']!)
  return valueAnswer(pinToJson(await cluster.pin(cid, optionsOf(call), { signal, wait: 'commit' })))
}

export async function pinPath (call: RestCall): Promise<Answer> {
  const { cluster, signal } = call
  const options = optionsOf(call)
  const cid = await cluster.resolve(pathOf(call), { signal })
  return valueAnswer(pinToJson(await cluster.pin(cid, options, { signal, wait: 'commit' })))
}

export async function unpinCid ({ cluster, params, signal }: RestCall): Promise<Answer> {
  return valueAnswer(pinToJson(await cluster.unpin(cidFromText(params['cid']!), { signal })))
}

export async function unpinPath (call: RestCall): Promise<Answer> {
  const { cluster, signal } = call
  const cid = await cluster.resolve(pathOf(call), { signal })
  return valueAnswer(pinToJson(await cluster.unpin(cid, { signal })))
}

export async function onePin (call: RestCall): Promise<Answer> {
  const { params, signal } = call
  const info = await askedOf(call).status(cidFromText(params['cid']!), { signal })
  return valueAnswer(pinInfoToJson(info, await call.details(), call.clock.now()))
}

export function listPins (call: RestCall): Answer {
  const { query, signal } = call
  const cids = listOf(query.get('cids')).map(cidFromText)
  if (cids.length === 0) return infoLines(call, askedOf(call).statusAll(statusFilter(query.get('filter')), { signal }))

  async function * each (): AsyncGenerator<GlobalPinInfo> {
    for (const cid of cids) yield await askedOf(call).status(cid, { signal })
  }
  return infoLines(call, each())
}

export async function recoverPin (call: RestCall): Promise<Answer> {
  const { params, signal } = call
  const info = await askedOf(call).recover(cidFromText(params['cid']!), { signal })
  return valueAnswer(pinInfoToJson(info, await call.details(), call.clock.now()))
}

export function recoverPins (call: RestCall): Answer {
  return infoLines(call, askedOf(call).recoverAll({ signal: call.signal }))
}

/** @throws RefusedError 400 for a word that is no status: a misspelt filter would list everything */
export function statusFilter (text: string | null): ReadonlySet<TrackerStatus> {
  const words = listOf(text)
  const found = words.flatMap(word => groups[word] ?? trackerStatuses.filter(status => status === word))
  const isKnown = (word: string): boolean => word in groups || trackerStatuses.some(status => status === word)
  if (!words.every(isKnown)) throw new RefusedError(400, 'invalid filter value')
  return new Set(words.length === 0 ? trackerStatuses : found)
}

function infoLines (call: RestCall, infos: AsyncIterable<GlobalPinInfo>): Answer {
  async function * lines (): AsyncGenerator<object> {
    const details = await call.details()
    for await (const info of infos) yield pinInfoToJson(info, details, call.clock.now())
  }
  return linesAnswer(lines())
}

/** With `local=true` no other peer is asked. As in ipfs-cluster any other word is not that. */
export function askedOf ({ cluster, overview, query }: RestCall): ClusterOverview['here'] {
  return query.get('local') === 'true' ? overview.here : cluster
}

function optionsOf ({ cluster, clock, query }: RestCall): PinOptions {
  return pinOptionsFromQuery(query, { nowMs: clock.now(), defaults: cluster.defaults })
}

function pathOf ({ params }: RestCall): string {
  const namespace = params['namespace']!
  if (!namespaces.includes(namespace)) throw new RefusedError(404, 'not found')
  return `/${namespace}/${params['*'] ?? ''}`
}

const listOf = (text: string | null): string[] => (text ?? '').split(',').filter(item => item !== '')
