import { createPrng } from '../../cluster/consensus/raft/core/prng.ts'

/** Chance that a seed repeats. */
export interface Chance {
  /** From 0 to `n - 1`. */
  below (n: number): number
  /** True one time in `n`. */
  oneIn (n: number): boolean
  pick<T> (of: readonly T[]): T
  /** Mostly small, now and then as large as `max`. */
  size (max: number): number
  bytes (length: number): Buffer
}

export function chanceOf (seed: number): Chance {
  const { below, u32 } = createPrng(seed)
  return {
    below,
    oneIn: n => below(n) === 0,
    pick: of => of[below(of.length)]!,
    size: max => below(Math.max(1, Math.ceil(max / 2 ** below(12)))),
    bytes: length => Buffer.from(Uint32Array.from({ length: Math.ceil(length / 4) }, u32).buffer, 0, length)
  }
}
