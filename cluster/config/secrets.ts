import { jsonKeyOf, writeSection } from './section.ts'
import type { ConfigOf, Fields, Section } from './section.ts'

/** What stands where a secret would; never its length. */
export const hidden = '(hidden)'

/** A section's values as they may be shown: in a log, a panel, a bug report. */
export function showSection<F extends Fields> (section: Section<F>, config: ConfigOf<F>): Record<string, unknown> {
  const secretKeys = Object.entries(section.fields).filter(([, { secret }]) => secret === true).map(([name]) => jsonKeyOf(name))
  return Object.fromEntries(Object.entries(writeSection(section, config)).map(([key, value]) => [key, secretKeys.includes(key) ? hidden : value]))
}
