import { encodePin } from '../../../cluster/api/pin-bytes.ts'
import { pinToJson } from '../../../cluster/api/pin-json.ts'
import type { Pin } from '../../../cluster/api/pin.ts'
import type { MemberConsensus } from '../../../cluster/peer-ports.ts'
import { pinPages } from '../../../cluster/pin-pages.ts'
import type { AbortOptions, PinsetOp, PinsetReader } from '../../../cluster/ports.ts'
import type { Staged } from './staging.ts'

/** A log entry may be much longer; this keeps one from holding up the others. */
const bytesPerEntry = 256 << 10
const tellEvery = 10_000
/** Entries on their way at the same time: while one is agreed on the next are read and sent. */
const underWayMax = 4

type ChangedConsensus = Pick<MemberConsensus, 'state' | 'log' | 'opsMax'>

/** What a state command has to say, here or from the peer that runs: a line of the export, how far it is, how it ended. */
export type StateEvent = { readonly pin: object } | { readonly progress: string } | { readonly done: string }

/** One consistent view of the pinset, as the Go program exports it. */
export async function * exportPins (pinset: PinsetReader, { signal }: AbortOptions): AsyncGenerator<StateEvent> {
  let count = 0
  for await (const pin of pinset.list({ signal })) {
    yield { pin: pinToJson(pin) }
    count++
  }
  yield { done: `${count} pins exported` }
}

/**
 * The pinset becomes what was staged: what is new or different is logged, then what is not in it leaves. Each step is agreed on, so what was
 * interrupted is finished by doing it again.
 */
export async function * importPins (consensus: ChangedConsensus, staged: Staged, { signal }: AbortOptions): AsyncGenerator<StateEvent> {
  const { state, opsMax } = consensus
  let ops: PinsetOp[] = []
  let bytes = 0
  let seen = 0
  const underWay: Promise<bigint>[] = []
  const log = async (): Promise<void> => {
    const logged = consensus.log(ops, { signal })
    logged.catch(() => {}) // heard of when it is waited for
    underWay.push(logged)
    ops = []
    bytes = 0
    if (underWay.length >= underWayMax) await underWay.shift()
  }
  for await (const { pin, bytes: pinBytes } of staged.pins({ signal })) {
    const there = await state.get(pin.cid)
    if (there === undefined || !isSame(there.pin, pin)) {
      ops.push({ kind: 'pin', pin })
      bytes += pinBytes
    }
    if (ops.length >= opsMax || bytes >= bytesPerEntry) await log()
    if (++seen % tellEvery === 0) yield { progress: `  ${seen} of ${staged.count()} pins imported` }
  }
  if (ops.length > 0) await log()
  await Promise.all(underWay)
  const removed = await removePins(consensus, async pins => await staged.missing(pins), { signal })
  yield { done: `${seen} pins imported${removed === 0 ? '' : `, ${removed} others removed`}` }
}

/** Empties the pinset, by agreement. */
export async function * removeAll (consensus: ChangedConsensus, { signal }: AbortOptions): AsyncGenerator<StateEvent> {
  yield { done: `${await removePins(consensus, async pins => pins, { signal })} pins were removed from the pinset` }
}

async function removePins ({ state, log, opsMax }: ChangedConsensus, thoseToGo: (pins: readonly Pin[]) => Promise<readonly Pin[]>, { signal }: AbortOptions): Promise<number> {
  let removed = 0
  for await (const page of pinPages(state, { signal })) {
    const ops = (await thoseToGo(page)).map(({ cid }): PinsetOp => ({ kind: 'unpin', cid }))
    for (let at = 0; at < ops.length; at += opsMax) await log(ops.slice(at, at + opsMax), { signal })
    removed += ops.length
  }
  return removed
}

const isSame = (a: Pin, b: Pin): boolean => encodePin(a).equals(encodePin(b))
