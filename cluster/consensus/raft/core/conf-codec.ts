import { assert, unreachable } from './assert.ts'
import { emptyData } from './entries.ts'
import type { ConfChange, ConfChangeSingle, ConfChangeType, Entry, EntryInput } from './types.ts'

/**
 * Membership changes as bytes: tagged fields, each a varint or length-prefixed (the wire format of protobuf).
 * An entry without bytes is the change that leaves a joint state; it can never be refused for its size.
 */
const types: readonly ConfChangeType[] =
  ['ConfChangeAddNode', 'ConfChangeRemoveNode', 'ConfChangeUpdateNode', 'ConfChangeAddLearnerNode']
const transitions: ReadonlyArray<ConfChange['transition']> = ['auto', 'implicit', 'explicit']

export const leaveJointChange: ConfChange = { transition: 'auto', changes: [], context: emptyData }
export const leaveJointEntry: EntryInput = { type: 'EntryConfChangeV2', data: emptyData }

export function encodeConfChange (change: ConfChange, version: 1 | 2 = 2): EntryInput {
  return version === 1 ? encodeLegacy(change) : encodeCurrent(change)
}

/** The change an entry carries; undefined for an ordinary entry. */
export function decodeConfChange (entry: EntryInput | Entry): ConfChange | undefined {
  if (entry.type === 'EntryNormal') return undefined
  return entry.type === 'EntryConfChange' ? decodeLegacy(entry.data) : decodeCurrent(entry.data)
}

function encodeLegacy ({ transition, changes, context }: ConfChange): EntryInput {
  assert(changes.length === 1 && transition === 'auto', 'the legacy entry holds one change and no transition', changes.length)
  const bytes: number[] = []
  number(bytes, 2, types.indexOf(changes[0]!.type))
  number(bytes, 3, changes[0]!.nodeId)
  if (context.length > 0) chunk(bytes, 4, context)
  return { type: 'EntryConfChange', data: Uint8Array.from(bytes) }
}

function encodeCurrent ({ transition, changes, context }: ConfChange): EntryInput {
  const bytes: number[] = []
  number(bytes, 1, transitions.indexOf(transition))
  for (const { type, nodeId } of changes) {
    const single: number[] = []
    number(single, 1, types.indexOf(type))
    number(single, 2, nodeId)
    chunk(bytes, 2, single)
  }
  if (context.length > 0) chunk(bytes, 3, context)
  return { type: 'EntryConfChangeV2', data: Uint8Array.from(bytes) }
}

function decodeLegacy (data: Uint8Array): ConfChange {
  const fields = readFields(data)
  return {
    transition: 'auto',
    changes: [{ type: typeOf(numberIn(fields, 2)), nodeId: numberIn(fields, 3) }],
    context: chunksIn(fields, 4)[0] ?? emptyData
  }
}

function decodeCurrent (data: Uint8Array): ConfChange {
  const fields = readFields(data)
  const changes = chunksIn(fields, 2).map((single): ConfChangeSingle => {
    const inner = readFields(single)
    return { type: typeOf(numberIn(inner, 1)), nodeId: numberIn(inner, 2) }
  })
  const transition = transitions[numberIn(fields, 1)] ?? unreachable('a membership change of unknown transition')
  return { transition, changes, context: chunksIn(fields, 3)[0] ?? emptyData }
}

function typeOf (value: number): ConfChangeType {
  return types[value] ?? unreachable(`a membership change of unknown type ${value}`)
}

type Field = readonly [tag: number, value: number | Uint8Array]

function number (bytes: number[], tag: number, value: number): void {
  assert(value >= 0, 'numbers written are not negative', value)
  varint(bytes, tag << 3)
  varint(bytes, value)
}

function chunk (bytes: number[], tag: number, value: ArrayLike<number>): void {
  varint(bytes, tag << 3 | 2)
  varint(bytes, value.length)
  for (let i = 0; i < value.length; i++) bytes.push(value[i]!)
}

function varint (bytes: number[], value: number): void {
  let rest = value
  while (rest >= 0x80) {
    bytes.push(rest % 128 | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}

function readFields (data: Uint8Array): readonly Field[] {
  const fields: Field[] = []
  let at = 0
  const read = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      assert(at < data.length && scale <= 2 ** 49, 'a membership change is whole', at, data.length)
      const byte = data[at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < data.length) {
    const key = read()
    const value = read()
    if ((key & 7) === 0) {
      fields.push([key >>> 3, value])
    } else {
      assert((key & 7) === 2 && at + value <= data.length, 'a membership change is whole', at, value)
      fields.push([key >>> 3, data.subarray(at, at + value)])
      at += value
    }
  }
  return fields
}

function numberIn (fields: readonly Field[], tag: number): number {
  const value = fields.findLast(([at]) => at === tag)?.[1] ?? 0
  return typeof value === 'number' ? value : unreachable('a membership change is well formed')
}

function chunksIn (fields: readonly Field[], tag: number): readonly Uint8Array[] {
  return fields.filter(([at]) => at === tag)
    .map(([, value]) => typeof value === 'number' ? unreachable('a membership change is well formed') : value)
}
