export type LogLevel = 'error' | 'warn' | 'info' | 'debug'
const ranks: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 }

/** What a line may carry besides its text. Never a secret, never a raw query string. */
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  error (message: string, fields?: LogFields): void
  warn (message: string, fields?: LogFields): void
  info (message: string, fields?: LogFields): void
  debug (message: string, fields?: LogFields): void
  /** The same sink, named for a component. */
  for (component: string): Logger
}

/** JSON lines to `write`, one object each: time, level, component, message, then the fields. */
export function createLogger (write: (line: string) => void, levels: ReadonlyMap<string, LogLevel>, component = 'cluster'): Logger {
  const limit = ranks[levels.get(component) ?? levels.get('*') ?? 'info']
  const log = (level: LogLevel) => (message: string, fields?: LogFields): void => {
    if (ranks[level] > limit) return
    write(`${JSON.stringify({ time: new Date().toISOString(), level, component, message, ...printable(fields) })}\n`)
  }
  return { error: log('error'), warn: log('warn'), info: log('info'), debug: log('debug'), for: name => createLogger(write, levels, name) }
}

/** A logger that says nothing, for tests that look elsewhere. */
export const silentLogger: Logger = { error () {}, warn () {}, info () {}, debug () {}, for: () => silentLogger }

function printable (fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.message : typeof value === 'bigint' ? String(value) : value]))
}
