/** What an ordinary log entry says, as bytes. An empty entry is a new leader's first and says nothing. */
import { ByteReader, ByteWriter, slabs } from './bytes.ts'
import type { Index } from './core/types.ts'

/** `sequence` counts a session's requests; it has had the answers of all below `answeredBelow`, which may be forgotten. */
export interface RequestId {
  readonly session: number
  readonly sequence: number
  readonly answeredBelow: number
}

export type Instruction =
  | { readonly kind: 'command', readonly id: RequestId, readonly data: Uint8Array }
  /** The session's number is the entry's index. `nonce` lets whoever asked know its own. */
  | { readonly kind: 'open-session', readonly nonce: number }
  /** The leader's digest as of `index`: who has another has gone astray and stops. */
  | { readonly kind: 'digest', readonly index: Index, readonly digest: bigint }
  /** From here on entries may need a program of this level; who is older stops before it would misread one. */
  | { readonly kind: 'feature-level', readonly level: number }

/** What this program understands. Raised with every kind of entry that is added. */
export const featureLevelKnown = 1

const kinds: ReadonlyArray<Instruction['kind']> = ['command', 'open-session', 'digest', 'feature-level']

/** An entry stays in memory until the log is cut. */
const allocate = slabs()

export function encodeInstruction (instruction: Instruction): Uint8Array {
  const to = new ByteWriter(instruction.kind === 'command' ? instruction.data.length + 24 : 24, allocate).u8(kinds.indexOf(instruction.kind) + 1)
  switch (instruction.kind) {
    case 'command': {
      const { session, sequence, answeredBelow } = instruction.id
      return to.varint(session).varint(sequence).varint(answeredBelow).raw(instruction.data).done()
    }
    case 'open-session': return to.varint(instruction.nonce).done()
    case 'digest': return to.varint(instruction.index).text(instruction.digest.toString(16)).done()
    case 'feature-level': return to.varint(instruction.level).done()
  }
}

/** Undefined: of a kind this program does not know, so it must stop before it. */
export function decodeInstruction (bytes: Uint8Array): Instruction | undefined {
  const from = new ByteReader(bytes)
  const kind = kinds[from.u8() - 1]
  switch (kind) {
    case 'command': return { kind, id: { session: from.varint(), sequence: from.varint(), answeredBelow: from.varint() }, data: from.raw(from.left) }
    case 'open-session': return { kind, nonce: from.varint() }
    case 'digest': return { kind, index: from.varint(), digest: BigInt(`0x${from.text()}`) }
    case 'feature-level': return { kind, level: from.varint() }
    case undefined: return undefined
  }
}
