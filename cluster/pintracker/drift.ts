import { CID } from 'multiformats/cid'
import { cidKey, cidKeyText } from '../api/cid-key.ts'
import type { Drift } from '../api/drift.ts'
import { isAllocatedTo } from '../api/pin.ts'
import type { PeerId, Pin } from '../api/pin.ts'
import { breathing } from '../async/breathe.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions, IpfsConnector, PinsetReader } from '../ports.ts'
import { CidSet } from './cid-set.ts'
import { modeByte } from './reconcile.ts'
import type { TrackerIndex } from './tracker-index.ts'

/** Nobody waits for an audit, and others wait for the peer: after so many it rests. */
const atOnceMax = 500
const restMs = 20
/** Pins of the daemon's user that are told of. They are held until the daemon has told all: while it tells, it pins nothing. */
const foreignMax = 10_000

export interface DriftComponents {
  readonly ipfs: IpfsConnector
  readonly state: PinsetReader
  readonly index: TrackerIndex
  readonly clock: Clock
  readonly self: PeerId
  /** What is being worked on is no drift. */
  readonly isBusy: (key: string) => boolean
}

interface Seen { readonly pins: CidSet, readonly foreign: readonly Finding[] }
type Finding = Omit<Drift, 'peer'>

/**
 * Compares what the pinset says, what this peer noted and what the daemon holds, in both directions, and changes nothing: `reconcile` mends. What is
 * found missing or too much the daemon is asked about once more, for much may have happened since it told what it holds.
 */
export async function * findDrift (components: DriftComponents, { foreign }: { readonly foreign: boolean }, options: AbortOptions): AsyncGenerator<Drift, void, undefined> {
  const { self } = components
  const rest = resting(components.clock, options)
  const seen = await listDaemon(components, foreign, options)
  for (const finding of seen.foreign) yield { peer: self, ...finding }
  for await (const pin of components.state.list(options)) {
    await rest()
    const finding = await ofPinset(components, pin, seen.pins, options)
    if (finding !== undefined) yield { peer: self, ...finding }
  }
  for await (const { key } of breathing(components.index.allHeld(), options)) {
    await rest()
    const finding = await ofNote(components, key, options)
    if (finding !== undefined) yield { peer: self, ...finding }
  }
}

/** As fast as it can be read. */
async function listDaemon ({ ipfs, state, index, self }: DriftComponents, withForeign: boolean, options: AbortOptions): Promise<Seen> {
  const pins = new CidSet()
  const foreign: Finding[] = []
  for await (const { cid, status, name } of ipfs.pinLs(options)) {
    const key = cidKey(cid)
    pins.add(Buffer.concat([key, modeByte[status]]))
    if (!withForeign || foreign.length >= foreignMax) continue
    const pin = (await state.get(cid))?.pin
    const held = index.held(key)
    const isOurs = (pin !== undefined && isAllocatedTo(pin, self)) || (held !== undefined && held.before === undefined)
    if (!isOurs) foreign.push({ cid, name, kind: 'foreign', detail: '' })
  }
  return { pins, foreign }
}

/** What is wrong with a pin of the pinset that this peer is to hold. */
async function ofPinset ({ ipfs, state, index, self, isBusy }: DriftComponents, wanted: Pin, seen: CidSet, options: AbortOptions): Promise<Finding | undefined> {
  if (!isAllocatedTo(wanted, self)) return undefined
  const { cid, mode } = wanted
  const key = cidKey(cid)
  const isNoted = (): boolean => index.held(key)?.isConfirmed === true && index.fault(key) === undefined
  if (seen.has(Buffer.concat([key, modeByte[mode]])) && isNoted()) return undefined
  const { status } = await ipfs.pinStatus(cid, options)
  const pin = (await state.get(cid))?.pin
  if (pin === undefined || !isAllocatedTo(pin, self) || isBusy(cidKeyText(cid))) return undefined
  const isThere = status === pin.mode
  if (isThere && isNoted()) return undefined
  return { cid, name: pin.name, kind: isThere ? 'unnoted' : 'missing', detail: index.fault(key)?.message ?? '' }
}

/** What is wrong with a note of what this peer is not to hold. */
async function ofNote ({ ipfs, state, index, self, isBusy }: DriftComponents, key: Uint8Array, options: AbortOptions): Promise<Finding | undefined> {
  const cid = CID.decode(Uint8Array.from(key))
  const isElsewhere = async (): Promise<boolean> => {
    const pin = (await state.get(cid))?.pin
    return pin === undefined || !isAllocatedTo(pin, self)
  }
  if (!await isElsewhere()) return undefined
  const { status, name } = await ipfs.pinStatus(cid, options)
  const held = index.held(key)
  if (held === undefined || !await isElsewhere() || isBusy(cidKeyText(cid))) return undefined
  const isOurs = held.before === undefined && status !== 'unpinned'
  return { cid, name, kind: isOurs ? 'surplus' : 'stale', detail: index.fault(key)?.message ?? '' }
}

function resting (clock: Clock, { signal }: AbortOptions): () => Promise<void> {
  let count = 0
  return async () => { if (++count % atOnceMax === 0) await pause(clock, restMs, signal) }
}
