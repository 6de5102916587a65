import type { CID } from 'multiformats/cid'
import type { PinMode, StoredPin, Stores } from './stores.ts'

/** Stores that are gone with the process: the tests' daemon. */
export function createMemoryStores (path: string): Stores {
  const blocks = new Map<string, { readonly multihash: Uint8Array, readonly bytes: Uint8Array }>()
  const pins = new Map<string, StoredPin>()
  const own = new Map<string, Uint8Array>()
  const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const pinKey = (cid: CID): string => keyOf(cid.bytes)
  let bytesHeld = 0

  return {
    path,
    blocks: {
      get: multihash => blocks.get(keyOf(multihash))?.bytes,
      has: multihash => blocks.has(keyOf(multihash)),
      lengthOf: multihash => blocks.get(keyOf(multihash))?.bytes.length,
      async put (multihash, bytes) {
        const key = keyOf(multihash)
        if (blocks.has(key)) return
        bytesHeld += bytes.length
        blocks.set(key, { multihash, bytes })
      },
      async delete (multihash) {
        const key = keyOf(multihash)
        bytesHeld -= blocks.get(key)?.bytes.length ?? 0
        blocks.delete(key)
      },
      multihashes: () => [...blocks.values()].map(({ multihash }) => multihash),
      async compact () { /* nothing is left of what was deleted */ },
      count: () => blocks.size
    },
    pins: {
      get: cid => pins.get(pinKey(cid)),
      async put (pin) { pins.set(pinKey(pin.cid), pin) },
      async delete (cid) { pins.delete(pinKey(cid)) },
      async move (from, to) {
        pins.set(pinKey(to.cid), to)
        pins.delete(pinKey(from))
      },
      pins: (mode: PinMode) => [...pins.values()].filter(pin => pin.mode === mode)
    },
    own: {
      get: key => own.get(key),
      async put (key, value) { own.set(key, value) }
    },
    sizeBytes: () => bytesHeld,
    async [Symbol.asyncDispose] () { /* freed with the last reference */ }
  }
}
