import assert from 'node:assert/strict'
import type { CID } from 'multiformats/cid'
import { cidKeyText } from '../api/cid-key.ts'
import { breathing } from '../async/breathe.ts'
import type { FollowingState } from '../peer-ports.ts'
import type { PinsetEntry } from '../ports.ts'
import { digestAfter, emptyDigest, encodeEntry } from './digest.ts'
import { guardsHold, outcomes } from './guards.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'

/** The twin of the pinset in LMDB: the same answers, from a Map. For tests. */
export function createMemoryState (): FollowingState {
  let entries = new Map<string, PinsetEntry>()
  let applied = 0n
  const never = new AbortController().signal

  const get = (cid: CID): PinsetEntry | undefined => entries.get(cidKeyText(cid))
  const sorted = (): PinsetEntry[] => [...entries].sort(([a], [b]) => a < b ? -1 : 1).map(([, entry]) => entry)
  const digest = (): bigint => [...entries.values()].reduce((digest, entry) => digestAfter(digest, undefined, encodeEntry(entry)), emptyDigest)

  return {
    get: async cid => get(cid),
    async * list ({ after, signal }) {
      const isBehind = ({ pin: { cid } }: PinsetEntry): boolean => after === undefined || cidKeyText(cid) > cidKeyText(after)
      for await (const { pin } of breathing(sorted().filter(isBehind), { signal })) yield pin
    },
    count: async () => entries.size,
    expired (timeMs, options) {
      const expireAtMs = ({ pin }: PinsetEntry): number => pin.expireAtMs ?? Infinity
      return breathing(sorted().filter(entry => expireAtMs(entry) <= timeMs).sort((a, b) => expireAtMs(a) - expireAtMs(b)), options)
    },
    apply: async logged => logged.map(({ ops, index }) => {
      assert(index > applied, 'entries are applied once, in order')
      const isApplied = guardsHold(ops, cid => get(cid)?.revision ?? 0n)
      for (const op of isApplied ? ops : []) {
        if (op.kind === 'pin') entries.set(cidKeyText(op.pin.cid), { pin: op.pin, revision: index })
        else entries.delete(cidKeyText(op.cid))
      }
      applied = index
      return outcomes(ops, isApplied, index)
    }),
    async takeOver ({ entries: taken, gone, asOf }) {
      for (const entry of taken) entries.set(cidKeyText(entry.pin.cid), entry)
      for (const cid of gone) entries.delete(cidKeyText(cid))
      applied = asOf ?? applied
    },
    appliedIndex: () => applied,
    digest,
    snapshot: () => encodeSnapshot(breathing(sorted(), { signal: never }), applied, digest()),
    async restore (source) {
      const snapshot = await decodeSnapshot(source)
      const restored = new Map<string, PinsetEntry>()
      for await (const entry of snapshot.entries) restored.set(cidKeyText(entry.pin.cid), entry)
      entries = restored
      applied = snapshot.appliedIndex
    }
  }
}
