import { splitTarget, unescapeGo } from '../cluster/api/kubo/query.ts'
import type { KuboCommand } from './command.ts'

export interface CommandMatch {
  readonly command: KuboCommand
  /** What stood behind the command: `pin/add/Qm…`. */
  readonly pathArgument: string | undefined
  /** Below `/api/v0/`, as it came. */
  readonly path: string
  readonly rawQuery: string
}

export type CommandTable = ReadonlyMap<string, KuboCommand>

const prefix = '/api/v0/'

/**
 * Which command of the table a request is for, by Kubo's rules: the path is unescaped first, and one segment more than the command
 * has is its first argument. Paths that Go's router redirects (`//`, `.`, `..`, as they came: `%2e%2e` is an argument like any other) and all else are `undefined`: the daemon knows.
 */
export function matchCommand (table: CommandTable, target: string): CommandMatch | undefined {
  const { path: rawPath, query: rawQuery } = splitTarget(target)
  const path = belowPrefix(rawPath)
  if (path === undefined || path.includes('#')) return undefined
  const exact = table.get(path)
  if (exact !== undefined) return { command: exact, pathArgument: undefined, path, rawQuery }

  const decoded = unescapeGo(path, 'path')
  if (decoded === undefined) return undefined
  const command = table.get(decoded)
  const lastSlash = decoded.lastIndexOf('/')
  const found = command ?? (lastSlash < 0 ? undefined : table.get(decoded.slice(0, lastSlash)))
  if (found === undefined || !isClean(path)) return undefined
  return { command: found, pathArgument: command === undefined ? decoded.slice(lastSlash + 1) : undefined, path, rawQuery }
}

/** Go's router unescapes the prefix as well, segment by segment. */
function belowPrefix (rawPath: string): string | undefined {
  if (rawPath.startsWith(prefix)) return rawPath.slice(prefix.length)
  const [, api, version, ...rest] = rawPath.includes('%') ? rawPath.split('/') : []
  return rest.length > 0 && unescapeGo(api!, 'path') === 'api' && unescapeGo(version!, 'path') === 'v0' ? rest.join('/') : undefined
}

/** Whether Go's router leaves a path as it is. */
export const isClean = (path: string): boolean => !path.startsWith('/') && !path.split('/').some((segment, i, all) => segment === '.' || segment === '..' || (segment === '' && i < all.length - 1))
