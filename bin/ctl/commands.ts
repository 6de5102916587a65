import { writeFile } from 'node:fs/promises'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import { addPaths } from './add.ts'
import type { Client } from './client.ts'
import { dotText } from './graph.ts'
import * as print from './print.ts'
import { afterPin, wishQuery } from './wishes.ts'

export interface CommandContext {
  readonly client: Client
  readonly args: readonly string[]
  readonly flags: Values
  /** One object, in the encoding asked for. */
  readonly show: (json: unknown, text: (json: unknown) => string) => void
  readonly signal: AbortSignal
}

type Run = (context: CommandContext) => Promise<void>

export const commands: Readonly<Record<string, Run>> = {
  id: async ({ client, show }) => show(await client.one('GET', '/id'), print.idText),
  version: async ({ client, show }) => show(await client.one('GET', '/version'), print.versionText),
  'peers ls': async context => await showLines(context, '/peers', print.idText),
  'peers rm': async ({ client, args: [peer] }) => { await client.one('DELETE', `/peers/${encodeURIComponent(peer!)}`) },
  add: addPaths,
  'pin add': async context => {
    const { client, args, flags } = context
    const pin = await client.one('POST', `${pinPath(args[0]!)}?${wishQuery(flags)}`)
    await afterPin(context, pin, 'pinned')
  },
  'pin rm': async context => await afterPin(context, await context.client.one('DELETE', pinPath(context.args[0]!)), 'unpinned'),
  'pin update': async context => {
    const { client, args: [from, to], flags } = context
    const old = await client.one('GET', `/allocations/${encodeURIComponent(bareCid(from!))}`) as { cid: string }
    const query = wishQuery(flags)
    query.set('pin-update', old.cid)
    await afterPin(context, await client.one('POST', `${pinPath(to!)}?${query}`), 'pinned')
  },
  'pin ls': async context => {
    const { client, args: [cid], flags, show } = context
    if (cid !== undefined) return show(await client.one('GET', `/allocations/${encodeURIComponent(cid)}`), print.pinText)
    await showLines(context, `/allocations?${new URLSearchParams({ filter: flags.text('filter') ?? 'all' })}`, print.pinText)
  },
  'pin why': async ({ client, args: [cid], show }) => show(await client.one('GET', `/allocations/${encodeURIComponent(bareCid(cid!))}/reasons`), print.eachText(print.reasonText)),
  status: async context => {
    const { client, args, flags, show } = context
    const query = new URLSearchParams({ local: String(flags.is('local')) })
    if (args.length === 1) return show(await client.one('GET', `/pins/${encodeURIComponent(args[0]!)}?${query}`), print.infoText)
    if (args.length > 1) query.set('cids', args.join(','))
    else if (flags.text('filter') !== undefined) query.set('filter', flags.text('filter')!)
    await showLines(context, `/pins?${query}`, print.infoText)
  },
  recover: async context => {
    const { client, args: [cid], flags, show } = context
    const query = new URLSearchParams({ local: String(flags.is('local')) })
    if (cid !== undefined) return show(await client.one('POST', `/pins/${encodeURIComponent(cid)}/recover?${query}`), print.infoText)
    await showLines(context, `/pins/recover?${query}`, print.infoText, 'POST')
  },
  'health graph': async ({ client, flags, show }) => {
    const graph = await client.one('GET', '/health/graph')
    const file = flags.text('file')
    if (file !== undefined) await writeFile(file, dotText(graph, flags.is('all-ipfs-peers')))
    else show(graph, json => dotText(json, flags.is('all-ipfs-peers')))
  },
  'health metrics': async ({ client, args: [name], show }) => {
    if (name === undefined) show(await client.one('GET', '/monitor/metrics'), print.eachText(print.nameText))
    else show(await client.one('GET', `/monitor/metrics/${encodeURIComponent(name)}`), print.eachText(print.metricText))
  },
  'health alerts': async ({ client, show }) => show(await client.one('GET', '/health/alerts'), print.eachText(print.alertText)),
  'ipfs gc': async ({ client, flags, show }) => show(await client.one('POST', `/ipfs/gc?local=${flags.is('local')}`), print.gcText)
}

async function showLines ({ client, show }: CommandContext, path: string, text: (json: unknown) => string, method = 'GET'): Promise<void> {
  for await (const json of client.lines(method, path)) show(json, text)
}

/** A CID or a path → the API's path to it. Each step is escaped, so that a name with a "?" stays a name. */
function pinPath (arg: string): string {
  const path = /^\/(ipfs|ipns|ipld)\/./.test(arg) ? arg : `/ipfs/${arg}`
  if (arg === '' || path.includes('//')) throw new UsageError(`not a CID or a path: ${JSON.stringify(arg)}`)
  return `/pins${path.split('/').map(encodeURIComponent).join('/')}`
}

const bareCid = (arg: string): string => arg.replace(/^\/ipfs\//, '')
