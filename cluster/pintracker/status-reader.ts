import { CID } from 'multiformats/cid'
import { cidKey, cidKeyText } from '../api/cid-key.ts'
import type { PinInfo, TrackerStatus } from '../api/pin-info.ts'
import { isAllocatedTo } from '../api/pin.ts'
import type { PeerId, Pin } from '../api/pin.ts'
import { breathing } from '../async/breathe.ts'
import { orderedUnion } from '../async/ordered-union.ts'
import type { AbortOptions, IpfsConnector, PinsetReader } from '../ports.ts'
import type { Operation, Operations } from './operations.ts'
import { pinInfoOf } from './status.ts'
import type { TrackerIndex } from './tracker-index.ts'

export interface StatusComponents {
  readonly state: PinsetReader
  readonly index: TrackerIndex
  readonly ipfs: IpfsConnector
  readonly operations: Operations
  readonly self: PeerId
  /** Whether some wait outside the queues, see `CatchUp`. */
  readonly isCatchingUp: Readonly<Record<'pins' | 'unpins', () => boolean>>
}

/** Answers where CIDs stand on this peer. */
export interface StatusReader {
  /** From what is noted here. */
  local (cid: CID): Promise<PinInfo>
  /** The same, but asks the daemon when all seems to be well: somebody may have unpinned it there. */
  verified (cid: CID, options: AbortOptions): Promise<PinInfo>
  /** How an operation ended. */
  after (operation: Operation): Promise<PinInfo>
  /** Never asks the daemon. An empty filter lets all pass but what has been unpinned meanwhile. Ordered by the CIDs' bytes, so that the lists of several peers can be merged. */
  all (filter: ReadonlySet<TrackerStatus>, options: AbortOptions): AsyncIterable<PinInfo>
  cidOf (key: Uint8Array): CID
}

/** What only the pinset can tell; all else is an operation or a fault, of which there are few. */
const statusesAtRest: readonly TrackerStatus[] = ['pinned', 'remote', 'unexpectedly_unpinned']

export function createStatusReader ({ state, index, ipfs, operations, self, isCatchingUp }: StatusComponents): StatusReader {
  function infoOf (cid: CID, pin: Pin | undefined): PinInfo {
    const key = cidKey(cid)
    const held = index.held(key)
    return pinInfoOf({
      cid,
      peer: self,
      pin,
      isAllocatedHere: pin !== undefined && isAllocatedTo(pin, self),
      operation: operations.get(cidKeyText(cid)),
      fault: index.fault(key),
      heldSinceMs: held?.isConfirmed === true ? held.sinceMs : undefined,
      waits: held === undefined ? isCatchingUp.pins() : isCatchingUp.unpins()
    })
  }

  async function local (cid: CID): Promise<PinInfo> {
    return infoOf(cid, (await state.get(cid))?.pin)
  }

  /** CIDs that are being worked on or have failed, and what is held while some of it waits to be unpinned: each once, ordered by CID. */
  async function * unsettled (options: AbortOptions): AsyncGenerator<CID, void, undefined> {
    const worked = Array.from(operations.values(), ({ key }) => key).sort()
    const sources = [worked, keysOf(index.faults()), ...isCatchingUp.unpins() ? [keysOf(index.allHeld())] : []]
    for await (const key of breathing(orderedUnion(sources), options)) yield cidOf(Buffer.from(key, 'latin1'))
  }

  /** Both in one, ordered by CID; what is in the pinset comes with its pin. */
  async function * pinsetAndUnsettled (options: AbortOptions): AsyncGenerator<{ readonly cid: CID, readonly pin: Pin | undefined }, void, undefined> {
    const others = unsettled(options)
    let other = await others.next()
    for await (const pin of state.list(options)) {
      const key = cidKeyText(pin.cid)
      for (; other.done !== true && cidKeyText(other.value) <= key; other = await others.next()) {
        if (cidKeyText(other.value) < key) yield { cid: other.value, pin: undefined }
      }
      yield { cid: pin.cid, pin }
    }
    for (; other.done !== true; other = await others.next()) yield { cid: other.value, pin: undefined }
  }

  return {
    local,
    cidOf,
    async verified (cid, options) {
      const info = await local(cid)
      if (info.status !== 'pinned' && info.status !== 'unexpectedly_unpinned') return info
      const pin = (await state.get(cid))?.pin
      try {
        const { status } = await ipfs.pinStatus(cid, options)
        if (status === pin?.mode) return { ...info, status: 'pinned', error: '' }
        return { ...info, status: 'unexpectedly_unpinned', error: 'the daemon does not hold it' }
      } catch (err) {
        options.signal.throwIfAborted()
        return { ...info, status: 'cluster_error', error: (err as Error).message }
      }
    },
    async after (operation) {
      const pin = (await state.get(operation.cid))?.pin
      return pinInfoOf({ cid: operation.cid, peer: self, pin, isAllocatedHere: true, operation, fault: undefined, heldSinceMs: undefined, waits: false })
    },
    async * all (filter, options) {
      const isWanted = ({ status }: PinInfo): boolean => filter.size === 0 ? status !== 'unpinned' : filter.has(status)
      const isPinsetNeeded = filter.size === 0 || (isCatchingUp.pins() && filter.has('pin_queued')) || statusesAtRest.some(status => filter.has(status))
      if (isPinsetNeeded) {
        for await (const { cid, pin } of pinsetAndUnsettled(options)) {
          const info = pin === undefined ? await local(cid) : infoOf(cid, pin)
          if (isWanted(info)) yield info
        }
        return
      }
      for await (const cid of unsettled(options)) {
        const info = await local(cid)
        if (isWanted(info)) yield info
      }
    }
  }
}

/** See `cidKeyText`. */
function * keysOf (rows: Iterable<{ readonly key: Buffer }>): Generator<string, void, undefined> {
  for (const { key } of rows) yield key.toString('latin1')
}

function cidOf (key: Uint8Array): CID {
  return CID.decode(Uint8Array.from(key))
}
