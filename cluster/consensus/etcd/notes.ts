import { CID } from 'multiformats/cid'
import { cidKeyText } from '../../api/cid-key.ts'
import { decodePin } from '../../api/pin-bytes.ts'
import type { PeerId, Pin } from '../../api/pin.ts'
import type { Announcement, LogEntry, PinsetOp } from '../../ports.ts'
import type { Keys } from './keys.ts'
import { fromWire } from './wire.ts'
import type { KeyValue, WatchEvent } from './wire.ts'

/** One op as the note of its entry tells it: the pin itself stands under its own key. */
interface NotedOp {
  readonly cid: string
  readonly unpin?: true
  readonly asker?: string
  readonly delivery?: string
  readonly ask?: { readonly peer: string, readonly id: number }
  readonly unannounced?: readonly string[]
}

/** What an entry does, in its order. As JSON, so that an operator can read it. */
export function encodeNote (ops: readonly PinsetOp[]): string {
  return JSON.stringify(ops.map((op): NotedOp => {
    if (op.kind === 'unpin') return { cid: op.cid.toString(), unpin: true, ...op.asker !== undefined && { asker: op.asker } }
    const { pin, delivery, ask, unannounced } = op
    return { cid: pin.cid.toString(), ...delivery !== undefined && { delivery }, ...ask !== undefined && { ask }, ...unannounced !== undefined && { unannounced } }
  }))
}

/**
 * What happened at one revision → the entry of the log that it is. Of what somebody has changed by hand there is no note; it counts all the same.
 *
 * @param unreadable told of what was put there by hand and is no pin
 * @returns undefined when nothing of it is about pins
 */
export function entryOf (events: readonly WatchEvent[], keys: Keys, unreadable: (cid: CID) => void): LogEntry | undefined {
  const changed = new Map<string, PinsetOp>()
  const notes: { readonly slot: number, readonly text: string }[] = []
  for (const { type, kv } of events) {
    const meaning = keys.meaning(fromWire(kv.key))
    if (meaning.kind === 'note' && type !== 'DELETE') notes.push({ slot: meaning.slot, text: fromWire(kv.value).toString('utf8') })
    if (meaning.kind !== 'pin') continue
    const { cid } = meaning
    const pin = type === 'DELETE' ? undefined : readPin(kv, cid)
    if (type === 'DELETE') changed.set(cidKeyText(cid), { kind: 'unpin', cid })
    else if (pin === undefined) unreadable(cid)
    else changed.set(cidKeyText(cid), { kind: 'pin', pin })
  }
  if (changed.size === 0 && notes.length === 0) return undefined
  const ops = notes.sort((a, b) => a.slot - b.slot).flatMap(({ text }) => opsOf(text, changed))
  return { ops: [...ops, ...changed.values()], index: BigInt(events[0]!.kv.mod_revision) }
}

/** @returns undefined for what is no pin, or another's */
export function readPin ({ value }: KeyValue, cid: CID): Pin | undefined {
  try {
    const pin = decodePin(fromWire(value))
    return pin.cid.equals(cid) ? pin : undefined
  } catch {
    return undefined
  }
}

function opsOf (text: string, changed: Map<string, PinsetOp>): PinsetOp[] {
  return (JSON.parse(text) as readonly NotedOp[]).flatMap(({ cid: written, unpin, asker, delivery, ask, unannounced }): PinsetOp[] => {
    const cid = CID.parse(written)
    const key = cidKeyText(cid)
    const op = changed.get(key)
    changed.delete(key)
    if (unpin === true) return [{ kind: 'unpin', cid, ...asker !== undefined && { asker: asker as PeerId } }]
    if (op?.kind !== 'pin') return []
    return [{ ...op, ...delivery !== undefined && { delivery }, ...ask !== undefined && { ask: { peer: ask.peer as PeerId, id: ask.id } }, ...unannounced !== undefined && { unannounced: unannounced as readonly Announcement[] } }]
  })
}
