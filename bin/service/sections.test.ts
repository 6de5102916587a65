/** Every setting by its variable, from the tables themselves. */
import t from 'tap'
import { jsonKeyOf, variableOf } from '../../cluster/config/section.ts'
import type { Field, Section } from '../../cluster/config/section.ts'
import { readServiceJson } from '../../cluster/config/service-json.ts'
import { sections } from './sections.ts'

const nonsense = 'no such: value!'
const settings = Object.entries(sections).flatMap(([name, section]) => Object.entries(section.fields as Record<string, Field<unknown>>).map(([field, about]) => ({
  section: name as keyof typeof sections, path: section.path, key: jsonKeyOf(field), variable: variableOf((section as Section).envPrefix, field), field, about
})))

/** As one writes it in a shell; undefined where the default is that nothing is written. */
function shellText (written: unknown): string | undefined {
  if (written === undefined) return undefined
  if (Array.isArray(written)) return written.join(',')
  return typeof written === 'string' ? written : JSON.stringify(written)
}

const takes = (about: Field<unknown>, text: string): boolean => {
  try {
    about.parse(text)
    return true
  } catch {
    return false
  }
}

t.test('each setting is read from its variable, and no variable is warned of', async t => {
  for (const { section, variable, field, about } of settings) {
    const text = shellText(about.write(about.fallback))
    if (text === undefined || text === '' || !takes(about, text)) continue

    const { configs, warnings } = readServiceJson('{}', sections, { [variable]: text, CLUSTER_SECRET: 'ab'.repeat(32), ...variable === 'CLUSTER_SECRET' && { [variable]: text } })

    t.strictSame([(configs[section] as Record<string, unknown>)[field], warnings], [about.parse(text), []], variable)
  }
})

t.test('a switch and a number that a variable gives stand over the file', async t => {
  for (const { section, path, key, variable, field, about } of settings) {
    const { fallback } = about
    const others = typeof fallback === 'boolean' ? [!fallback] : typeof fallback === 'number' ? [fallback + 1, fallback * 2] : []
    const other = others.map(value => shellText(about.write(value))).find(text => text !== undefined && takes(about, text) && text !== shellText(about.write(fallback)))
    const [top, sub] = path.split('.') as [string, string?]
    const own = { [key]: about.write(fallback) }
    if (other === undefined || /replication|election|heartbeat|lease|threshold|trailing/.test(key)) continue // those are checked with others

    const { configs } = readServiceJson(JSON.stringify({ [top]: sub === undefined ? own : { [sub]: own } }), sections, { [variable]: other })

    t.strictSame((configs[section] as Record<string, unknown>)[field], about.parse(other), variable)
  }
})

t.test('what a variable may not be is refused, naming setting, variable and what was expected', async t => {
  let refused = 0
  for (const { path, key, variable, about } of settings) {
    if (takes(about, nonsense)) continue // any text will do
    refused++

    t.throws(() => readServiceJson('{}', sections, { [variable]: nonsense }), { code: 'ERR_INVALID_ARGUMENT', message: new RegExp(`^${path}\\.${key}: expected .*\\(${variable} is set\\)$`) }, variable)
  }

  t.ok(refused > 60, `${refused} of ${settings.length}`)
})
