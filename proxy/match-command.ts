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
 * has is its first argument. Paths that Go's router redirects (`//`, `.`, `..`) and all else are `undefined`: the daemon knows.
 */
export function matchCommand (table: CommandTable, target: string): CommandMatch | undefined {
  if (!target.startsWith(prefix) && !/^https?:/i.test(target)) return undefined
  const { path: rawPath, query: rawQuery } = splitTarget(target)
  if (!rawPath.startsWith(prefix) || rawPath.includes('#')) return undefined
  const path = rawPath.slice(prefix.length)
  const exact = table.get(path)
  if (exact !== undefined) return { command: exact, pathArgument: undefined, path, rawQuery }

  const decoded = unescapeGo(path, 'path')
  if (decoded === undefined) return undefined
  const command = table.get(decoded)
  const lastSlash = decoded.lastIndexOf('/')
  const found = command ?? (lastSlash < 0 ? undefined : table.get(decoded.slice(0, lastSlash)))
  if (found === undefined || !isClean(decoded)) return undefined
  return { command: found, pathArgument: command === undefined ? decoded.slice(lastSlash + 1) : undefined, path, rawQuery }
}

const isClean = (path: string): boolean => !path.startsWith('/') && !path.split('/').some((segment, i, all) => segment === '.' || segment === '..' || (segment === '' && i < all.length - 1))
