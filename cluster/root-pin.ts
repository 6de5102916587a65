import type { CID } from 'multiformats/cid'
import { cidKeyText } from './api/cid-key.ts'
import { defaultPinOptions } from './api/pin.ts'
import type { PeerId, Pin, Replication } from './api/pin.ts'
import type { Clock } from './clock.ts'
import { draftPin } from './pinning.ts'
import type { Placer } from './placer.ts'
import type { AbortOptions, Consensus, PinsetEntry, PinsetOp } from './ports.ts'

export interface RootPinComponents {
  readonly self: PeerId
  readonly consensus: Pick<Consensus, 'state' | 'log'>
  readonly placer: Pick<Placer, 'place'>
  readonly clock: Clock
}

/** A pin that stands for something of this peer that changes as a whole. */
export interface RootPin {
  /**
   * Has the pin be of `root`, and no more of what it was of; `undefined` is of nothing. Both are agreed on in one entry, or neither. What
   * somebody else has pinned is left to them: it is neither taken over nor let go.
   *
   * @returns whether anything had to be agreed on
   * @throws ClusterError ERR_OUTDATED when somebody changed one of the pins meanwhile; asked again it goes by what is there then
   */
  follow (root: CID | undefined, options: AbortOptions): Promise<boolean>
}

const markStart = 'mfs-root:'
const nameOf = (peer: string): string => `mfs:${peer}`

/**
 * The pin of the root of this peer's files (MFS). Several peers may have the same root: each leaves its mark in the pin's metadata, and the
 * last to go unpins it. The mark names the CID, so that it means nothing in a pin that was made out of this one (`pin/update`).
 */
export function createRootPin ({ self, consensus, placer, clock }: RootPinComponents, { replication }: { readonly replication: Replication }): RootPin {
  const { state } = consensus
  /** Those that bear our mark, as far as is known; to be looked for in the whole pinset when it is not. */
  let marked: readonly CID[] | undefined

  async function ownEntries (options: AbortOptions): Promise<readonly PinsetEntry[]> {
    marked ??= (await Array.fromAsync(filtered(state.list(options), pin => isMarked(pin, self)))).map(({ cid }) => cid)
    const entries = await Promise.all(marked.map(async cid => await state.get(cid)))
    return entries.filter(entry => entry !== undefined && isMarked(entry.pin, self)) as readonly PinsetEntry[]
  }

  function pinned (root: CID, existing: PinsetEntry | undefined, old: Pin | undefined): readonly PinsetOp[] {
    if (existing !== undefined && (isMarked(existing.pin, self) || ownersOf(existing.pin).length === 0)) return []
    const metadata = { ...existing?.pin.metadata, [`${markStart}${self}`]: root.toString() }
    if (existing !== undefined) return [{ kind: 'pin', pin: { ...existing.pin, metadata }, ifRevision: existing.revision }]

    const wanted = { ...defaultPinOptions, name: nameOf(self), replication, pinUpdate: old?.cid }
    const draft = draftPin({ cid: root, wanted, existing: undefined, updated: old, defaults: { replication }, nowMs: clock.now() })
    const allocations = draft.replication === 'everywhere' ? [] : placer.place({ replication: draft.replication, holders: draft.allocations, wanted: [self] })
    return [{ kind: 'pin', pin: { ...draft, metadata, allocations }, ifRevision: 0n }]
  }

  function letGo ({ pin, revision }: PinsetEntry): PinsetOp {
    const others = ownersOf(pin).filter(owner => owner !== self)
    if (others.length === 0) return { kind: 'unpin', cid: pin.cid, ifRevision: revision }
    const { [`${markStart}${self}`]: _, ...metadata } = pin.metadata
    return { kind: 'pin', pin: { ...pin, name: pin.name === nameOf(self) ? nameOf(others[0]!) : pin.name, metadata }, ifRevision: revision }
  }

  return {
    async follow (root, options) {
      const own = await ownEntries(options)
      const old = own.filter(({ pin }) => root === undefined || cidKeyText(pin.cid) !== cidKeyText(root))
      const pinOps = root === undefined ? [] : pinned(root, await state.get(root), old[0]?.pin)
      const ops = [...pinOps, ...old.map(letGo)]
      if (ops.length === 0) return false
      marked = undefined // until it is known what became of it
      await consensus.log(ops, options)
      marked = root === undefined ? [] : [root]
      return true
    }
  }
}

/** Whose root a pin is. */
function ownersOf (pin: Pin): readonly string[] {
  const cid = pin.cid.toString()
  return Object.entries(pin.metadata).filter(([key, value]) => key.startsWith(markStart) && value === cid).map(([key]) => key.slice(markStart.length))
}

const isMarked = (pin: Pin, peer: PeerId): boolean => ownersOf(pin).includes(peer)

async function * filtered (pins: AsyncIterable<Pin>, isWanted: (pin: Pin) => boolean): AsyncGenerator<Pin, void, undefined> {
  for await (const pin of pins) if (isWanted(pin)) yield pin
}
