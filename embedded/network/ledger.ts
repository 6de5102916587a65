/** What one peer wants of this daemon, and what it is to be told next. */
import type { CID } from 'multiformats/cid'
import { blockBytesMax } from '../dag/block-size.ts'
import { multihashKey } from '../dag/block-service.ts'
import type { BlockStore } from '../store/stores.ts'
import { prefixOf } from './bitswap-message.ts'
import type { Presence, SentBlock, WantEntry } from './bitswap-message.ts'

/** Kubo's limit; what comes beyond it, answers not yet taken included, is passed over. */
const wantsMax = 1024
/** A block as small as this is sent to who only asks whether it is there. */
const smallBlockBytes = 1024
/** Blocks go together up to this size. */
const messageBytes = 256 * 1024

export interface Ledger {
  apply (entries: readonly WantEntry[], isFull: boolean): void
  /** A block has come to be here. Whether the peer wants it. */
  appeared (key: string): boolean
  /** What to say now; nothing when there is nothing. */
  next (): { readonly presences: readonly Presence[], readonly blocks: readonly SentBlock[] }
  wants (): readonly CID[]
}

export function createLedger (store: Pick<BlockStore, 'get' | 'lengthOf'>): Ledger {
  const wants = new Map<string, WantEntry>()
  const presences = new Map<string, Presence>()
  const ready = new Set<string>()

  const consider = (key: string, want: WantEntry): void => {
    const { cid } = want
    const length = store.lengthOf(cid.multihash.bytes)
    if (length === undefined || length > blockBytesMax) {
      if (want.sendDontHave) presences.set(key, { cid, has: false })
    } else if (want.kind === 'block' || length <= smallBlockBytes) {
      presences.delete(key)
      ready.add(key)
    } else {
      presences.set(key, { cid, has: true })
      wants.delete(key)
    }
  }
  const forget = (key: string): void => {
    wants.delete(key)
    presences.delete(key)
    ready.delete(key)
  }

  return {
    apply (entries, isFull) {
      if (isFull) [...wants.keys()].forEach(forget)
      for (const entry of entries) {
        const key = multihashKey(entry.cid)
        if (entry.isCancel) {
          forget(key)
        } else if (wants.has(key) || wants.size + presences.size < wantsMax) {
          const want = wants.get(key)?.kind === 'block' ? { ...entry, kind: 'block' } as const : entry
          wants.set(key, want)
          consider(key, want)
        }
      }
    },
    appeared (key) {
      const want = wants.get(key)
      if (want !== undefined) consider(key, want)
      return want !== undefined
    },
    next () {
      const said = [...presences.values()]
      presences.clear()
      const blocks: SentBlock[] = []
      let bytesHeld = 0
      for (const key of ready) {
        if (bytesHeld >= messageBytes) break
        const { cid } = wants.get(key)!
        ready.delete(key)
        const bytes = store.get(cid.multihash.bytes)
        if (bytes === undefined) continue
        wants.delete(key)
        blocks.push({ prefix: prefixOf(cid), bytes })
        bytesHeld += bytes.length
      }
      return { presences: said, blocks }
    },
    wants: () => [...wants.values()].map(({ cid }) => cid)
  }
}
