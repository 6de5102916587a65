/** The only source of chance while simulating: everything a run does follows from one seed. */
export interface Random {
  /** A whole number in 0 ≤ n < 2³². */
  u32: () => number
  /** A whole number in 0 ≤ n < `bound`. */
  below: (bound: number) => number
  /** A whole number in `least` ≤ n ≤ `most`. */
  between: (least: number, most: number) => number
  /** True once in `1 / probability` calls on average. */
  chance: (probability: number) => boolean
  pick: <T> (choices: readonly T[]) => T
  /** Shuffles in place and gives the same array back. */
  shuffle: <T> (items: T[]) => T[]
}

/**
 * sfc32: 128 bits of state, four additions a draw, no multiplication that could lose bits in a double.
 * `stream` separates the choices of one seed (the swarm's settings, the faults, each peer), so that one
 * more draw in one of them does not change all the others: seeds stay comparable while code grows.
 */
export function createRandom (seed: number, stream: number): Random {
  let a = (seed >>> 0) ^ 0x9e3779b9
  let b = (Math.floor(seed / 0x1_0000_0000) >>> 0) ^ 0x243f6a88
  let c = (stream >>> 0) ^ 0xb7e15162
  let counter = 1

  const u32 = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum | 0
    return sum >>> 0
  }
  for (let round = 0; round < 15; round++) u32() // neighbouring seeds start alike; mixing parts them

  const below = (bound: number): number => bound <= 1 ? 0 : u32() % bound
  return {
    u32,
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: probability => probability > 0 && u32() < probability * 0x1_0000_0000,
    pick: choices => choices[below(choices.length)] as (typeof choices)[number],
    shuffle: items => {
      for (let last = items.length - 1; last > 0; last--) {
        const other = below(last + 1)
        const held = items[last] as (typeof items)[number]
        items[last] = items[other] as (typeof items)[number]
        items[other] = held
      }
      return items
    }
  }
}
