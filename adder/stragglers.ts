/** Imports that go on though what they are part of has been answered. */
export interface Stragglers {
  /** @returns false where so many are under way already that this one is to be waited for */
  leave (work: Promise<unknown>): boolean
}

/** Each holds what its destination has not read yet: so many at most, and callers wait as long as the slowest again. */
export function createStragglers (max: number): Stragglers {
  let count = 0
  return {
    leave (work) {
      if (count >= max) return false
      count++
      const over = (): void => { count-- }
      work.then(over, over)
      return true
    }
  }
}
