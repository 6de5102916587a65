import type { CID } from 'multiformats/cid'

const base32 = Buffer.from('abcdefghijklmnopqrstuvwxyz234567')
const base58 = Buffer.from('123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz')
/** What one division takes off: five letters, as many as leave the products exact. */
const letters = 5
const divisor = 58 ** letters
const usualBytes = 64
/** What is printed is a string before anybody else gets to print. */
const scratch = Buffer.alloc(1 + Math.ceil(usualBytes * 8 / 5))

/** `cid.toString()`, several times as fast: lists of pins and blocks are made of little else. */
export function printCid (cid: CID): string {
  return cid.bytes.length > usualBytes ? cid.toString() : cid.version === 0 ? printBase58(cid.bytes) : printBase32(cid.bytes)
}

function printBase32 (bytes: Uint8Array): string {
  const text = scratch
  let at = 0
  text[at++] = 0x62 // b, the prefix of the base
  let held = 0
  let bits = 0
  for (let i = 0; i < bytes.length; i++) {
    held = (held << 8 | bytes[i]!) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text[at++] = base32[held >> (bits - 5) & 31]!
  }
  if (bits > 0) text[at++] = base32[held << (5 - bits) & 31]!
  return text.toString('latin1', 0, at)
}

/** Of a version 0, whose first byte is never 0. */
function printBase58 (bytes: Uint8Array): string {
  const limbs: number[] = []
  for (let i = bytes.length % 2 === 0 ? 0 : -1; i < bytes.length; i += 2) limbs.push((bytes[i] ?? 0) << 8 | bytes[i + 1]!)
  const text = Buffer.alloc(letters * Math.ceil(bytes.length * 1.4 / letters), base58[0])
  let at = text.length
  for (let first = 0; first < limbs.length;) {
    let rest = 0
    for (let i = first; i < limbs.length; i++) {
      const value = rest * 0x10000 + limbs[i]!
      limbs[i] = Math.floor(value / divisor)
      rest = value - limbs[i]! * divisor
    }
    for (let i = 0; i < letters; i++) {
      text[--at] = base58[rest % 58]!
      rest = Math.floor(rest / 58)
    }
    while (limbs[first] === 0) first++
  }
  while (text[at] === base58[0]) at++
  return text.toString('latin1', at)
}
