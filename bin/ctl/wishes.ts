import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import type { CommandContext } from './commands.ts'
import { infoText, pinText } from './print.ts'

const pollMs = 1_000
/** How long the first status is asked for before it is shown as it is. */
const settleMs = 1_000
const errors: readonly string[] = ['undefined', 'cluster_error', 'pin_error', 'unpin_error']

interface Info { readonly peer_map: Readonly<Record<string, { readonly status: string, readonly error: string }>> }

/** Waiting took longer than was asked for. */
export class WaitTimeout extends Error {}

/** Pin options as the API reads them. What the peer can judge is left to it. */
export function wishQuery (flags: Values): URLSearchParams {
  const query = new URLSearchParams()
  const both = flags.text('replication')
  const set = (key: string, value: string | undefined): void => { if (value !== undefined && value !== '') query.set(key, value) }
  set('replication-min', both ?? flags.text('replication-min'))
  set('replication-max', both ?? flags.text('replication-max'))
  set('user-allocations', flags.text('allocations')?.split(',').map(id => id.trim()).join(','))
  set('name', flags.text('name'))
  set('mode', flags.text('mode'))
  set('expire-in', flags.text('expire-in'))
  for (const pair of flags.texts('metadata')) {
    const at = pair.indexOf('=')
    if (at < 1) throw new UsageError(`--metadata: expected key=value, got ${JSON.stringify(pair)}`)
    query.set(`meta-${pair.slice(0, at)}`, pair.slice(at + 1))
  }
  return query
}

/** What follows a pin or unpin: waiting if asked to, then its status, or the pin itself with `--no-status`. */
export async function afterPin (context: CommandContext, pin: unknown, target: 'pinned' | 'unpinned'): Promise<void> {
  const { flags, show } = context
  const { cid, replication_factor_min: min } = pin as { cid: string, replication_factor_min: number }
  const limit = Number(flags.text('wait-limit') ?? (target === 'pinned' ? min : 0))
  if (!Number.isInteger(limit)) throw new UsageError('--wait-limit: expected an integer')

  const waited = flags.is('wait') ? await waitFor(context, cid, target, limit) : undefined
  if (flags.is('no-status')) show(pin, pinText)
  else show(waited ?? await settledStatus(context, cid), infoText)
}

/**
 * Asks every second until `limit` peers (all when it is 0 or less) have reached `target`.
 *
 * @throws Error when a peer reports that it failed; WaitTimeout after `--wait-timeout`
 */
export async function waitFor ({ client, flags, signal }: CommandContext, cid: string, target: 'pinned' | 'unpinned', limit: number): Promise<Info> {
  const deadlineMs = performance.now() + (flags.text('wait-timeout') === undefined ? Infinity : goMilliseconds(flags.text('wait-timeout')!))
  while (true) {
    const info = await client.one('GET', `/pins/${cid}?local=false`) as Info
    const peers = Object.values(info.peer_map).filter(({ status }) => !(target === 'pinned' && status === 'remote'))
    const failed = peers.find(({ status }) => errors.includes(status))
    if (failed !== undefined) throw new Error(`waiting for pin status: ${failed.status}: ${failed.error}`)

    const reached = peers.filter(({ status }) => status === target).length
    if (reached >= (limit > 0 ? Math.min(limit, peers.length) : peers.length)) return info
    if (performance.now() >= deadlineMs) throw new WaitTimeout(`waiting for pin status: ${reached} of ${peers.length} peers are ${target}`)
    await sleep(pollMs, undefined, { signal })
  }
}

/** What the Go tool sleeps a second for: most pins are through by then. Here it is shown as soon as it has come to rest. */
async function settledStatus ({ client, signal }: CommandContext, cid: string): Promise<Info> {
  const deadlineMs = performance.now() + settleMs
  while (true) {
    const info = await client.one('GET', `/pins/${cid}?local=false`) as Info
    const isMoving = Object.values(info.peer_map).some(({ status }) => /^(un)?pin(ning|_queued)$/.test(status))
    if (!isMoving || performance.now() >= deadlineMs) return info
    await sleep(50, undefined, { signal })
  }
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

function goMilliseconds (text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(part => part[0]).join('') !== text) throw new UsageError(`--wait-timeout: expected a duration like 30s, got ${JSON.stringify(text)}`)
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * unitMs[unit as keyof typeof unitMs], 0)
}
