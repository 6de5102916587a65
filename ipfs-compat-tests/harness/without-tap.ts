/** What tap has each subprocess of a test load is left out: TypeScript's own program, an ES module without an extension, cannot be loaded that way. */
export function withoutTap (command: string, args: readonly string[]): readonly [command: string, args: readonly string[]] {
  return ['env', ['-u', 'NODE_OPTIONS', command, ...args]]
}
