import { CID } from 'multiformats/cid'
import { cidKey, cidKeyText } from '../api/cid-key.ts'
import { isAllocatedTo } from '../api/pin.ts'
import type { PeerId, Pin } from '../api/pin.ts'
import { breathing } from '../async/breathe.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions, IpfsConnector, PinsetReader } from '../ports.ts'
import { CidSet } from './cid-set.ts'
import type { Held, TrackerIndex } from './tracker-index.ts'

const notesPerTransaction = 500
/** Behind a CID, for a set of what was seen in which mode. */
export const modeByte = { recursive: Buffer.of(0), direct: Buffer.of(1) } as const

export interface ReconcileComponents {
  readonly ipfs: IpfsConnector
  readonly state: PinsetReader
  readonly index: TrackerIndex
  readonly clock: Clock
  readonly self: PeerId
  /** What is being worked on is left alone. */
  readonly isBusy: (key: string) => boolean
  readonly queuePin: (pin: Pin, attempts: number) => void
  readonly queueUnpin: (cid: CID, asked: boolean, attempts: number) => void
  /** Resolves when the queues are short enough to add to. */
  readonly room: (options: AbortOptions) => Promise<void>
}

/**
 * Compares what the pinset says, what this peer noted and what the daemon holds, each read once as a stream, and queues what is
 * missing or too much. What is there is noted, not asked for again. Yields the CIDs it queued, at the pace of who reads.
 *
 * Unpins only what this peer pinned itself, and what a user had asked to unpin before a restart.
 */
export async function * reconcile (components: ReconcileComponents, options: AbortOptions): AsyncGenerator<CID, void, undefined> {
  yield * resumeFaults(components, options)
  const seen = await noteWhatIsThere(components, options)
  yield * queueWhatIsMissing(components, seen, options)
  yield * queueWhatIsTooMuch(components, seen, options)
}

/** Unpins that were owed; faults of pins that are no longer wanted end here. */
async function * resumeFaults ({ index, state, self, isBusy, queueUnpin, room }: ReconcileComponents, options: AbortOptions): AsyncGenerator<CID, void, undefined> {
  for await (const { key, fault } of breathing(index.faults(), options)) {
    const cid = decode(key)
    const entry = await state.get(cid)
    const isWanted = entry !== undefined && isAllocatedTo(entry.pin, self)
    if (isWanted || isBusy(cidKeyText(cid))) continue
    if (fault.type === 'pin' && index.held(key) === undefined) {
      await index.forget(key)
      continue
    }
    await room(options)
    if (isBusy(cidKeyText(cid))) continue
    queueUnpin(cid, fault.asked, fault.type === 'pin' ? 0 : fault.attempts)
    yield cid
  }
}

async function noteWhatIsThere ({ ipfs, state, index, clock, self, isBusy }: ReconcileComponents, options: AbortOptions): Promise<CidSet> {
  const seen = new CidSet()
  let notes: { readonly key: Buffer, readonly held: Held }[] = []
  for await (const { cid, status, name } of ipfs.pinLs(options)) {
    const key = cidKey(cid)
    seen.add(Buffer.concat([key, modeByte[status]]))
    const entry = await state.get(cid)
    if (entry === undefined || entry.pin.mode !== status || !isAllocatedTo(entry.pin, self) || isBusy(cidKeyText(cid))) continue

    const known = index.held(key)
    const isMended = index.fault(key) !== undefined && name === entry.pin.name
    if (known?.isConfirmed === true && !isMended) continue
    const before = known === undefined ? { mode: status, name } : known.before
    notes.push({ key, held: { before, isConfirmed: true, sinceMs: clock.now() } })
    if (notes.length < notesPerTransaction) continue
    await index.holdAll(notes)
    notes = []
  }
  await index.holdAll(notes)
  return seen
}

async function * queueWhatIsMissing ({ state, index, self, isBusy, queuePin, room }: ReconcileComponents, seen: CidSet, options: AbortOptions): AsyncGenerator<CID, void, undefined> {
  for await (const { cid, mode } of state.list(options)) {
    const key = cidKey(cid)
    const fault = index.fault(key)
    if (fault === undefined && seen.has(Buffer.concat([key, modeByte[mode]]))) continue
    await room(options)
    const entry = await state.get(cid)
    if (entry === undefined || !isAllocatedTo(entry.pin, self) || isBusy(cidKeyText(cid))) continue
    queuePin(entry.pin, fault?.type === 'pin' ? fault.attempts : 0)
    yield cid
  }
}

async function * queueWhatIsTooMuch ({ state, index, self, isBusy, queueUnpin, room }: ReconcileComponents, seen: CidSet, options: AbortOptions): AsyncGenerator<CID, void, undefined> {
  for await (const { key, held } of breathing(index.allHeld(), options)) {
    const cid = decode(key)
    const entry = await state.get(cid)
    if ((entry !== undefined && isAllocatedTo(entry.pin, self)) || isBusy(cidKeyText(cid))) continue
    const isThere = seen.has(Buffer.concat([key, modeByte.recursive])) || seen.has(Buffer.concat([key, modeByte.direct]))
    if (held.before !== undefined || !isThere) {
      await index.forget(key)
      continue
    }
    await room(options)
    if (isBusy(cidKeyText(cid))) continue
    queueUnpin(cid, false, 0)
    yield cid
  }
}

function decode (key: Uint8Array): CID {
  return CID.decode(Uint8Array.from(key))
}
