import { randomBytes } from 'node:crypto'

const emptySlot = 0
const firstSlots = 1 << 12
const fullness = 0.6

/**
 * Which CIDs were seen, by a hash of 53 bits each: a million take 16 MiB at most. Of a million pins one is taken for seen wrongly in
 * one of ten thousand rounds, and differently in the next, because every set hashes with numbers of its own.
 */
export class CidSet {
  readonly #seed = randomBytes(8)
  #slots = new Float64Array(firstSlots)
  #size = 0

  add (key: Uint8Array): void {
    if (this.#size >= this.#slots.length * fullness) this.#grow()
    if (insert(this.#slots, this.#hash(key))) this.#size++
  }

  has (key: Uint8Array): boolean {
    const hash = this.#hash(key)
    return this.#slots[slotOf(this.#slots, hash)] === hash
  }

  #grow (): void {
    const larger = new Float64Array(this.#slots.length * 2)
    for (const hash of this.#slots) if (hash !== emptySlot) insert(larger, hash)
    this.#slots = larger
  }

  /** cyrb53: two 32-bit mixes over the bytes, joined to a whole number other than 0. */
  #hash (key: Uint8Array): number {
    let high = 0xdeadbeef ^ this.#seed.readUInt32LE(0)
    let low = 0x41c6ce57 ^ this.#seed.readUInt32LE(4)
    for (const byte of key) {
      high = Math.imul(high ^ byte, 2654435761)
      low = Math.imul(low ^ byte, 1597334677)
    }
    high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
    low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
    return 4294967296 * (2097151 & low) + (high >>> 0) + 1
  }
}

/** Where it is, or the free slot where it would be. */
function slotOf (slots: Float64Array, hash: number): number {
  let slot = hash % slots.length
  while (slots[slot] !== emptySlot && slots[slot] !== hash) slot = (slot + 1) % slots.length
  return slot
}

function insert (slots: Float64Array, hash: number): boolean {
  const slot = slotOf(slots, hash)
  const isNew = slots[slot] === emptySlot
  slots[slot] = hash
  return isNew
}
