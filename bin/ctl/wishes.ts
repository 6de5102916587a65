import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import { TimeoutError } from './client.ts'
import type { CommandContext } from './commands.ts'
import { peerIdsOf } from './ids.ts'
import { infoText, pinText } from './print.ts'

const pollMs = 1_000
/** How long the first status is asked for before it is shown as it is. */
const settleMs = 1_000
const errors: readonly string[] = ['undefined', 'cluster_error', 'pin_error', 'unpin_error']

interface Info { readonly peer_map: Readonly<Record<string, { readonly status: string, readonly error: string }>> }

/** Pin options as the API reads them. @throws UsageError for what is wrong by itself */
export async function wishQuery (flags: Values): Promise<URLSearchParams> {
  const query = new URLSearchParams()
  const both = flags.text('replication') === '0' ? undefined : flags.text('replication')
  const set = (key: string, value: string | undefined): void => { if (value !== undefined && value !== '') query.set(key, value) }
  set('replication-min', both ?? flags.text('replication-min'))
  set('replication-max', both ?? flags.text('replication-max'))
  set('user-allocations', flags.text('allocations') === undefined ? undefined : (await peerIdsOf(flags.text('allocations')!.split(','))).join(','))
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
  // What says how to wait asks to wait.
  const isWaiting = ['wait', 'wait-limit', 'wait-timeout'].some(name => flags.is(name) || flags.text(name) !== undefined)
  const limit = Number(flags.text('wait-limit') ?? (target === 'pinned' ? min : 0))

  const waited = isWaiting ? await waitFor(context, cid, target, limit) : undefined
  if (flags.is('no-status')) show(pin, pinText)
  else show(waited ?? await settledStatus(context, cid), infoText)
}

/**
 * Asks every second until `limit` peers (all when it is 0 or less) have reached `target`.
 *
 * @throws Error when a peer reports that it failed; TimeoutError after `--wait-timeout`
 */
export async function waitFor ({ client, flags, signal, progress }: CommandContext, cid: string, target: 'pinned' | 'unpinned', limit: number): Promise<Info> {
  const timeoutMs = goMilliseconds(flags.text('wait-timeout') ?? '0')
  const deadlineMs = performance.now() + (timeoutMs > 0 ? timeoutMs : Infinity)
  while (true) {
    const info = await client.one('GET', `/pins/${cid}?local=false`) as Info
    const peers = Object.values(info.peer_map).filter(({ status }) => !(target === 'pinned' && status === 'remote'))
    const failed = peers.find(({ status }) => errors.includes(status))
    if (failed !== undefined) throw new Error(`waiting for pin status: ${failed.status}: ${failed.error}`)

    const reached = peers.filter(({ status }) => status === target).length
    const wanted = limit > 0 ? Math.min(limit, peers.length) : peers.length
    if (reached >= wanted) return info
    if (performance.now() >= deadlineMs) throw new TimeoutError(`waiting for pin status: ${reached} of ${peers.length} peers are ${target}`)
    progress.show(`${cid}: ${target} on ${reached} of ${wanted} peers`)
    await sleep(Math.min(pollMs, Math.max(1, deadlineMs - performance.now())), undefined, { signal })
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

const unitMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

/** Go's durations, whose form the command line has checked. */
function goMilliseconds (text: string): number {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce((sum, [, number, unit]) => sum + Number(number) * unitMs[unit as keyof typeof unitMs], 0)
}
