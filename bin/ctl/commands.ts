import { writeFile } from 'node:fs/promises'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import { trackerStatuses } from '../../cluster/api/pin-info.ts'
import type { Client } from './client.ts'
import { cidOf, filterOf, peerIdsOf, pinPathOf } from './ids.ts'
import { inOrder, jsonText } from './json.ts'
import * as print from './print.ts'
import type { TextOf } from './print.ts'
import type { Progress } from './progress.ts'
import { afterPin, wishQuery } from './wishes.ts'

export interface CommandContext {
  readonly client: Client
  readonly args: readonly string[]
  readonly flags: Values
  /** One object, in the encoding asked for. */
  readonly show: (json: unknown, text: TextOf) => void
  readonly progress: Progress
  readonly signal: AbortSignal
}

type Run = (context: CommandContext) => Promise<void>

/** Of CIDs in one request: a peer takes 8 KiB of headers, this line among them. */
const cidsBytesMax = 6_000
const pinTypes: readonly string[] = ['pin', 'meta-pin', 'clusterdag-pin', 'shard-pin', 'all']
const statusWords: readonly string[] = [...trackerStatuses, 'error', 'queued']
/** What `sync` of older documentation is for: where the daemons hold something else than was agreed on. */
const outOfSync = 'error,unexpectedly_unpinned'

export const commands: Readonly<Record<string, Run>> = {
  id: async ({ client, show }) => show(await client.one('GET', '/id'), print.idText),
  version: async ({ client, show }) => show(await client.one('GET', '/version'), print.versionText),
  'peers ls': async context => await showLines(context, '/peers', print.idText),
  'peers add': async ({ client, args, show }) => {
    const [peer] = await peerIdsOf(args)
    const body = Buffer.from(JSON.stringify({ peer_id: peer }))
    show(await client.one('POST', '/peers', { contentType: 'application/json', async * body () { yield body } }), print.idText)
  },
  'peers rm': async ({ client, args }) => { await client.one('DELETE', `/peers/${(await peerIdsOf(args))[0]}`) },
  'peers drain': async context => {
    const { drainPeer } = await import('./drain.ts')
    await drainPeer(context)
  },
  'peers trusted': async ({ client, show }) => show(await client.one('GET', '/peers/trusted'), print.trustedText),
  'peers trust': async ({ client, args, show }) => show(await client.one('POST', `/peers/${(await peerIdsOf(args))[0]}/trust`), print.trustedText),
  'peers untrust': async ({ client, args, show }) => show(await client.one('DELETE', `/peers/${(await peerIdsOf(args))[0]}/trust`), print.trustedText),
  add: async context => {
    const { addPaths } = await import('./add.ts')
    await addPaths(context)
  },
  'pin add': async context => {
    const { client, args, flags } = context
    const pin = await client.one('POST', `${await pinPathOf(args[0]!)}?${await wishQuery(flags)}`)
    await afterPin(context, pin, 'pinned')
  },
  'pin rm': async context => await afterPin(context, await context.client.one('DELETE', await pinPathOf(context.args[0]!)), 'unpinned'),
  'pin update': async context => {
    const { client, args: [from, to], flags } = context
    const query = await wishQuery(flags)
    query.set('pin-update', await cidOf(from!))
    await afterPin(context, await client.one('POST', `${await pinPathOf(to!)}?${query}`), 'pinned')
  },
  'pin ls': async context => {
    const { client, args: [cid], flags, show } = context
    const types = filterOf(flags.text('filter') ?? 'all', pinTypes)
    if (cid === undefined) return await showLines(context, `/allocations?${new URLSearchParams({ filter: types.join(',') })}`, print.pinText)
    const pin = await client.one('GET', `/allocations/${await cidOf(cid)}`) as { type: string }
    if (types.includes('all') || types.includes(pin.type)) show(pin, print.pinText)
  },
  'pin why': async ({ client, args: [cid], show }) => show(await client.one('GET', `/allocations/${await cidOf(cid!)}/reasons`), print.eachText(print.reasonText)),
  status: async context => {
    const { args, flags } = context
    const filter = flags.text('filter')
    if (args.length === 0) return await showLines(context, `/pins?${new URLSearchParams({ local: String(flags.is('local')), ...filter !== undefined && { filter: filterOf(filter, statusWords).join(',') } })}`, print.infoText)
    if (filter !== undefined) throw new UsageError('--filter is for a list of all pins: ask without CIDs')
    await statusOf(context, await Promise.all(args.map(cidOf)))
  },
  sync: async context => {
    const { args, flags } = context
    if (args.length > 0) return await statusOf(context, [await cidOf(args[0]!)])
    await showLines(context, `/pins?${new URLSearchParams({ local: String(flags.is('local')), filter: outOfSync })}`, print.infoText)
  },
  recover: async context => {
    const { client, args: [cid], flags, show } = context
    const local = `local=${flags.is('local')}`
    if (cid !== undefined) return show(await client.one('POST', `/pins/${await cidOf(cid)}/recover?${local}`), print.infoText)
    await showLines(context, `/pins/recover?${local}`, print.infoText, 'POST')
  },
  rebalance: async context => {
    const { rebalance } = await import('./rebalance.ts')
    await rebalance(context)
  },
  audit: async context => {
    const { audit } = await import('./audit.ts')
    await audit(context)
  },
  'health graph': async ({ client, flags, show }) => {
    const { dotText } = await import('./graph.ts')
    const graph = await client.one('GET', '/health/graph')
    const textOf = (json: unknown): string => dotText(json, flags.is('all-ipfs-peers'))
    const file = flags.text('file') ?? ''
    if (file === '') show(graph, textOf)
    else await writeFile(file, flags.text('encoding') === 'json' ? jsonText(graph) : textOf(graph))
  },
  'health metrics': async ({ client, args: [name], show }) => {
    if (name === undefined) show(await client.one('GET', '/monitor/metrics'), print.eachText(print.nameText))
    else show(await client.one('GET', `/monitor/metrics/${encodeURIComponent(name)}`), print.eachText(print.metricText))
  },
  'health alerts': async ({ client, show }) => show(await client.one('GET', '/health/alerts'), print.eachText(print.alertText)),
  'health bandwidth': async ({ client, show }) => show(inOrder(await client.one('GET', '/health/bandwidth')), print.bandwidthText),
  'ipfs gc': async ({ client, flags, show }) => {
    const collected = await client.one('POST', `/ipfs/gc?local=${flags.is('local')}`)
    show(collected, print.gcText)
    assertSomebodyCollected(collected as CollectedJson)
  }
}

interface CollectedJson { readonly peer_map: Readonly<Record<string, { readonly peername: string, readonly error?: string, readonly keys: readonly { readonly error?: string }[] | null }>> }

/** Go's ends with 0 whatever the daemons say; where none of them has collected anything that would be a lie to a script. @throws Error */
function assertSomebodyCollected ({ peer_map: peers }: CollectedJson): void {
  const failures = Object.entries(peers).map(([peer, { peername, error = '', keys }]) => {
    const refusals = (keys ?? []).map(({ error = '' }) => error)
    const why = error !== '' ? error : refusals.length > 0 && refusals.every(refusal => refusal !== '') ? refusals[0]! : ''
    return why === '' ? '' : `${peername || peer}: ${why}`
  })
  if (failures.length > 0 && failures.every(failure => failure !== '')) throw new Error(`no daemon has collected garbage: ${failures.join('; ')}`)
}

async function showLines ({ client, show }: CommandContext, path: string, text: TextOf, method = 'GET'): Promise<void> {
  for await (const json of client.lines(method, path)) show(json, text)
}

/** Of these, in their order; of very many in several requests. */
async function statusOf (context: CommandContext, cids: readonly string[]): Promise<void> {
  const { client, flags, show } = context
  const local = `local=${flags.is('local')}`
  if (cids.length === 1) return show(await client.one('GET', `/pins/${cids[0]}?${local}`), print.infoText)
  let batch: string[] = []
  let bytes = 0
  for (const [i, cid] of cids.entries()) {
    batch.push(cid)
    bytes += cid.length + 1
    const isFull = bytes + (cids[i + 1]?.length ?? Infinity) > cidsBytesMax
    if (!isFull) continue
    await showLines(context, `/pins?${local}&cids=${batch.join(',')}`, print.infoText)
    batch = []
    bytes = 0
  }
}
