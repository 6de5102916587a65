import type { CID } from 'multiformats/cid'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import type { AbortOptions } from '../cluster/ports.ts'
import type { DaemonCalls } from './daemon-calls.ts'

/** A pin of the daemon's own. */
export interface DaemonPin { readonly type: 'recursive' | 'direct', readonly name: string }

/** What the daemon itself pins of a CID, whoever asked for it; indirect pins do not count, so no DAG is walked. */
export async function daemonPin (daemon: DaemonCalls, cid: CID, { signal }: AbortOptions): Promise<DaemonPin | undefined> {
  for (const type of ['recursive', 'direct'] as const) {
    try {
      const { Keys } = await daemon.value('pin/ls', { query: [['arg', cid.toString()], ['type', type], ['names', 'true']], signal }) as { Keys?: Record<string, { Name?: string }> }
      const found = Object.values(Keys ?? {})[0]
      if (found !== undefined) return { type, name: found.Name ?? '' }
    } catch (err) {
      if (!(err instanceof KuboRepliedError) || !err.message.includes('is not pinned')) throw err
    }
  }
  return undefined
}
