/** Which of many short byte strings have been seen: CIDs, multihashes. */
export interface BytesSet {
  /** @returns whether it is new */
  add (bytes: Uint8Array): boolean
  has (bytes: Uint8Array): boolean
  readonly size: number
}

const chunkBytes = 1 << 20
const lengthBytes = 2
/** Most sets stay small: the first chunk and the slots grow with them. */
const bytesAtFirst = 512
const slotsAtFirst = 16
const fullAt = 0.6

/**
 * A walk remembers every CID it has met. In a `Set` of strings a million of them take 120 MB of the heap, and 16.7 million do not fit;
 * here they take 46 MB outside of it.
 */
export function createBytesSet (): BytesSet {
  const chunks: Buffer[] = [Buffer.allocUnsafe(bytesAtFirst)]
  /** In the last chunk. */
  let used = 0
  /** Where each lies, plus one; 0 is free. */
  let slots = new Uint32Array(slotsAtFirst)
  let size = 0

  const isAt = (place: number, bytes: Uint8Array): boolean => {
    const chunk = chunks[Math.floor(place / chunkBytes)]!
    const at = place % chunkBytes
    if (chunk.readUInt16LE(at) !== bytes.length) return false
    for (let i = bytes.length - 1, from = at + lengthBytes; i >= 0; i--) if (chunk[from + i] !== bytes[i]) return false
    return true
  }
  const store = (bytes: Uint8Array): number => {
    const needed = used + lengthBytes + bytes.length
    if (needed > chunkBytes) {
      chunks.push(Buffer.allocUnsafeSlow(chunkBytes))
      used = 0
    } else if (needed > chunks.at(-1)!.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(chunkBytes, 4 * needed))
      larger.set(chunks[0]!)
      chunks[0] = larger
    }
    const chunk = chunks.at(-1)!
    const place = (chunks.length - 1) * chunkBytes + used
    chunk.writeUInt16LE(bytes.length, used)
    chunk.set(bytes, used + lengthBytes)
    used += lengthBytes + bytes.length
    return place
  }
  /** The slot that holds it, or the free one where it belongs. */
  const slotOf = (bytes: Uint8Array): number => {
    let slot = hashOf(bytes) & (slots.length - 1)
    for (let place = slots[slot]!; place !== 0 && !isAt(place - 1, bytes); place = slots[slot]!) slot = (slot + 1) & (slots.length - 1)
    return slot
  }
  const grow = (): void => {
    const old = slots
    slots = new Uint32Array(old.length * 2)
    for (const place of old) {
      if (place === 0) continue
      const chunk = chunks[Math.floor((place - 1) / chunkBytes)]!
      const at = (place - 1) % chunkBytes
      let slot = hashOf(chunk.subarray(at + lengthBytes, at + lengthBytes + chunk.readUInt16LE(at))) & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = place
    }
  }

  return {
    add (bytes) {
      const slot = slotOf(bytes)
      if (slots[slot] !== 0) return false
      slots[slot] = store(bytes) + 1
      if (++size > slots.length * fullAt) grow()
      return true
    },
    has: bytes => slots[slotOf(bytes)] !== 0,
    get size () { return size }
  }
}

function hashOf (bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}
