import { CID } from 'multiformats/cid'
import { cidKeyText } from '../api/cid-key.ts'
import { abortable } from '../async/abortable.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions } from '../ports.ts'
import { jsonLines } from './kubo-reply.ts'
import type { Requests } from './requests.ts'

/** A list that is older may be true no longer. */
const goodMs = 100
/** Direct pins are rare; who has more of them is asked about each CID by itself. */
const listedMax = 1_000
/** So long a daemon that has many is not asked for all of them again. */
const manyMs = 60_000

/**
 * Tells what certainly is not pinned directly, by a list of all direct pins that many questions share: of all that a pin asks its daemon the half,
 * and nearly always for nothing.
 */
export interface DirectPins {
  /** Whether the CID may be pinned directly. Only that it is not is certain: a list that is no older than `goodMs` says so. */
  mayHave (cid: CID, options: AbortOptions): Promise<boolean>
}

interface Listing { readonly keys: Promise<ReadonlySet<string> | 'many'>, readonly atMs: number }

export function createDirectPins ({ requests, clock }: { readonly requests: Pick<Requests, 'post'>, readonly clock: Clock }, { timeoutMs }: { readonly timeoutMs: number }): DirectPins {
  let last: Listing | undefined

  async function list (options: AbortOptions): Promise<ReadonlySet<string> | 'many'> {
    const { body } = await requests.post('pin/ls', { query: [['type', 'direct'], ['stream', 'true']], ...options, timeoutMs })
    const keys = new Set<string>()
    for await (const { Cid } of jsonLines<{ readonly Cid: string }>(body)) {
      if (keys.add(cidKeyText(CID.parse(Cid))).size > listedMax) return 'many'
    }
    return keys
  }

  /** Shared by whoever asks; nobody ends it for the others. */
  function listing (): Listing {
    const nowMs = clock.now()
    const made: Listing = { keys: list({ signal: new AbortController().signal }), atMs: nowMs }
    last = made
    made.keys.then(keys => { if (keys === 'many' && last === made) last = { keys: made.keys, atMs: nowMs + manyMs } }, () => { if (last === made) last = undefined })
    return made
  }

  return {
    async mayHave (cid, { signal }) {
      const current = last !== undefined && clock.now() - last.atMs <= goodMs ? last : listing()
      const keys = await abortable(current.keys, signal)
      return keys === 'many' || keys.has(cidKeyText(cid))
    }
  }
}
