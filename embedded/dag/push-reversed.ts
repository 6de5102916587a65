/**
 * Puts `values` on a stack so that the first of them comes off first. One by one: as arguments of `push` the 200,000 links that a node
 * can have would be more than the call stack holds.
 */
export function pushReversed<T> (stack: T[], values: readonly T[]): void {
  for (let i = values.length - 1; i >= 0; i--) stack.push(values[i]!)
}
