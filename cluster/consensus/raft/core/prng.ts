import { assert } from './assert.ts'
import type { Random } from './types.ts'

/** xoshiro128** seeded through splitmix32: small, fast, and the same on every machine. */
export function createPrng (seed: number): Random & { u32 (): number } {
  assert(Number.isSafeInteger(seed), 'a seed is an integer')
  const mix = splitmix32((seed ^ Math.floor(seed / 2 ** 32)) >>> 0)
  let a = mix()
  let b = mix()
  let c = mix()
  let d = mix()

  function u32 (): number {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotateLeft(d, 11)
    return result
  }

  return {
    u32,
    below (n) {
      assert(n > 0 && n <= 2 ** 32, 'a range of 1 to 2^32 values', n)
      return Math.floor((u32() / 2 ** 32) * n)
    }
  }
}

function splitmix32 (seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) | 0
  }
}

function rotateLeft (value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
