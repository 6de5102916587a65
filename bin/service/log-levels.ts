import type { LogLevel } from '../../cluster/log.ts'
import { UsageError } from '../args.ts'

/** The Go program's words among them. */
const levels: Readonly<Record<string, LogLevel>> = {
  critical: 'error', fatal: 'error', panic: 'error', error: 'error', warning: 'warn', warn: 'warn', notice: 'info', info: 'info', debug: 'debug'
}

/** `info,restapi:debug` → a level for each component named, and under `*` for the others. @throws UsageError */
export function parseLogLevels (text: string): ReadonlyMap<string, LogLevel> {
  return new Map(text.split(',').filter(part => part !== '').map(part => {
    const [component, word] = part.includes(':') ? part.split(':', 2) as [string, string] : ['*', part]
    const level = levels[word.toLowerCase()]
    if (level === undefined) throw new UsageError(`--loglevel: expected error, warn, info or debug, got ${JSON.stringify(word)}`)
    return [component, level]
  }))
}
