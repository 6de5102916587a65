import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandContext } from './commands.ts'
import { peerIdsOf } from './ids.ts'
import { drainText } from './print.ts'

const pollMs = 1_000
/** To count a million pins takes a peer seconds: it is not to do nothing else. */
const pollShare = 10

interface Drained { readonly draining: boolean, readonly pins: number }

/**
 * Has a peer drained, and waits until no pin names it any more, unless `--no-wait`.
 *
 * @throws Error when somebody stops it meanwhile
 */
export async function drainPeer ({ client, args, flags, show, progress, signal }: CommandContext): Promise<void> {
  const path = `/peers/${(await peerIdsOf(args))[0]}/drain`
  if (flags.is('stop')) return show(await client.one('DELETE', path), drainText)

  let now = await client.one('POST', path) as Drained
  const { pins: total } = now
  let tookMs = 0
  while (now.draining && now.pins > 0 && !flags.is('no-wait')) {
    progress.bar(Math.max(0, total - now.pins), total, pins => `${pins} pins`)
    await sleep(Math.max(pollMs, pollShare * tookMs), undefined, { signal })
    const askedAtMs = performance.now()
    now = await client.one('GET', path) as Drained
    tookMs = performance.now() - askedAtMs
  }
  if (!now.draining) throw new Error(`somebody has stopped it: ${now.pins} pins are left`)
  show(now, drainText)
}
