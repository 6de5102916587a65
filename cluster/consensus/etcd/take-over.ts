import type { CID } from 'multiformats/cid'
import { cidKey, cidKeyText } from '../../api/cid-key.ts'
import type { FollowingState } from '../../peer-ports.ts'
import type { AbortOptions, AppliedOps, PinsetEntry } from '../../ports.ts'
import type { Etcd } from './client.ts'
import type { Keys } from './keys.ts'
import { readPin } from './notes.ts'
import { fromWire, revisionOf, toWire } from './wire.ts'
import type { KeyValue } from './wire.ts'

const pinsPerPage = 1_000

export interface TakeOverComponents {
  readonly etcd: Etcd
  readonly keys: Keys
  readonly state: FollowingState
  /** Told of each pin that is different from what was here. */
  readonly applied: AppliedOps
  readonly unreadable: (cid: CID) => void
}

/**
 * Makes the pinset here what etcd has at one revision, page by page: for a peer that is new, or was away for longer than etcd remembers. Only what is
 * different is written and told. The applied index follows with the last page, so what is interrupted begins anew and loses nothing.
 *
 * @returns that revision
 * @throws EtcdRefusedError when etcd forgets that revision meanwhile
 */
export async function takeOverPins ({ etcd, keys, state, applied, unreadable }: TakeOverComponents, { signal }: AbortOptions): Promise<bigint> {
  const { range_end } = keys.pins
  let key = keys.pins.key
  let asOf: bigint | undefined
  let after: CID | undefined
  while (true) {
    const { header, kvs = [], more = false } = await etcd.range({ key, range_end, limit: pinsPerPage, ...asOf !== undefined && { revision: String(asOf) } }, { signal })
    asOf ??= revisionOf(header)
    const there = readPage(kvs, keys, unreadable)
    const upTo = more ? there.at(-1)?.pin.cid : undefined
    const isWhole = !more || upTo !== undefined
    const gone = isWhole ? await missing(state, there, { after, upTo, signal }) : []
    const entries = await different(state, there)
    await state.takeOver({ entries, gone, ...!more && { asOf } })
    for (const { pin } of entries) applied.pinned(pin, {})
    for (const cid of gone) applied.unpinned(cid)
    if (!more) return asOf
    if (upTo !== undefined) after = upTo
    key = toWire(Buffer.concat([fromWire(kvs.at(-1)!.key), Buffer.of(0)])) // the least that is greater
  }
}

function readPage (kvs: readonly KeyValue[], keys: Keys, unreadable: (cid: CID) => void): readonly PinsetEntry[] {
  return kvs.flatMap((kv): PinsetEntry[] => {
    const meaning = keys.meaning(fromWire(kv.key))
    if (meaning.kind !== 'pin') return []
    const pin = readPin(kv, meaning.cid)
    if (pin === undefined) unreadable(meaning.cid)
    return pin === undefined ? [] : [{ pin, revision: BigInt(kv.mod_revision) }]
  })
}

async function different (state: FollowingState, there: readonly PinsetEntry[]): Promise<readonly PinsetEntry[]> {
  const news: PinsetEntry[] = []
  for (const entry of there) if ((await state.get(entry.pin.cid))?.revision !== entry.revision) news.push(entry)
  return news
}

/** Pins here, behind `after` and up to `upTo`, that are not there. */
async function missing (state: FollowingState, there: readonly PinsetEntry[], { after, upTo, signal }: AbortOptions & { readonly after: CID | undefined, readonly upTo: CID | undefined }): Promise<readonly CID[]> {
  const known = new Set(there.map(({ pin }) => cidKeyText(pin.cid)))
  const gone: CID[] = []
  for await (const { cid } of state.list({ after, signal })) {
    if (upTo !== undefined && Buffer.compare(cidKey(cid), cidKey(upTo)) > 0) break
    if (!known.has(cidKeyText(cid))) gone.push(cid)
  }
  return gone
}
