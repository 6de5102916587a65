import type { Chance } from './random.ts'

/** What parsers of text and of lengths trip over. */
const spicy: readonly Buffer[] = [
  '\r\n', '\n', '\r', '\0', '--', '\r\n--', '"', ';', '%', '%2', '%zz', '%00', '%2F', '../', '=', '&', ':', ' ', '\t', '\\', '<', '{', '}', '\u00e9', '\u2028', '9'.repeat(40), '-1', '0x', '1e9'
].map(text => Buffer.from(text)).concat([
  [0xff], [0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0x80, 0x80, 0x80, 0x80, 0x01], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xd8, 0x2a], [0x01, 0x55, 0x12, 0x20], [0x12, 0x20]
].map(bytes => Buffer.from(bytes)))

/** The same bytes with one to a few things wrong with them. */
export function mutate (bytes: Buffer, chance: Chance): Buffer {
  let mutated = bytes
  for (let times = 1 + chance.size(8); times > 0; times--) mutated = mutateOnce(mutated, chance)
  return mutated
}

function mutateOnce (bytes: Buffer, chance: Chance): Buffer {
  const at = chance.below(bytes.length + 1)
  const length = Math.min(bytes.length - at, 1 + chance.size(64))
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)]
  switch (chance.below(8)) {
    case 0: return Buffer.concat([before, chance.bytes(length), after])
    case 1: return Buffer.concat([before, after])
    case 2: return Buffer.concat([before, piece, piece, after])
    case 3: return Buffer.concat([before, chance.pick(spicy), piece, after])
    case 4: return Buffer.concat([before, chance.pick(spicy), after])
    case 5: return before
    case 6: return Buffer.concat([before, flipped(piece, chance), after])
    default: return Buffer.concat([before, after.subarray(0, chance.size(after.length + 1)), piece, after])
  }
}

function flipped (piece: Buffer, chance: Chance): Buffer {
  const copy = Buffer.from(piece)
  if (copy.length > 0) {
    const at = chance.below(copy.length)
    copy[at] = copy[at]! ^ 1 << chance.below(8)
  }
  return copy
}
