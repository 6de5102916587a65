import { ClusterError } from '../api/errors.ts'
import { variableOf, writeSection } from './section.ts'
import type { ConfigOf, Environment, Fields, Section } from './section.ts'
import { didYouMean } from './suggestion.ts'

export type Sections = Readonly<Record<string, Section>>
export type Configs<S extends Sections> = { readonly [K in keyof S]: S[K] extends Section<infer F extends Fields> ? ConfigOf<F> : never }

export interface Loaded<S extends Sections> {
  readonly configs: Configs<S>
  /** Which sections the file has: an API that is not there is off, as in the Go program. */
  readonly written: ReadonlySet<keyof S>
  /** What was read over; to be logged once. */
  readonly warnings: readonly string[]
}

/** Sections of the Go program's file that have no part to configure here. */
const goSections: readonly string[] = [
  'consensus.crdt', 'api.pinsvcapi', 'informer.numpin',
  'observations.metrics', 'observations.tracing', 'datastore.pebble', 'datastore.badger3', 'datastore.badger', 'datastore.leveldb'
]
/** What the Go program's variables start with where there is no part for them here. */
const goVariables = /^CLUSTER_(CRDT|PINSVCAPI|NUMPIN|METRICS|TRACING|PEBBLE|BADGER3|BADGER|LEVELDB)_/
const elsewhereVariables: readonly string[] = ['CLUSTER_ID', 'CLUSTER_PRIVATEKEY', 'CLUSTER_CREDENTIALS']

/**
 * Reads `service.json` and hands each section its part, with the environment over it. What nobody knows is refused: a misspelt setting
 * that is silently ignored is the worst kind. What only the Go program knows is read over, with one warning.
 *
 * @param json the file's text
 * @throws ClusterError ERR_INVALID_ARGUMENT naming section, key and what was expected
 */
export function readServiceJson<const S extends Sections> (json: string, sections: S, env: Environment): Loaded<S> {
  const tree = parseTree(json)
  if ('source' in tree) refuse('source: a configuration that is fetched from elsewhere is not supported; put its content into this file')

  const known = [...Object.values(sections).map(({ path }) => path), ...goSections]
  const parts = partsOf(tree, known)
  const configs = Object.entries(sections).map(([name, section]) => [name, section(parts.get(section.path) ?? {}, env)])
  const written = Object.entries(sections).filter(([, { path }]) => parts.has(path)).map(([name]) => name)

  return {
    configs: Object.freeze(Object.fromEntries(configs)) as Configs<S>,
    written: new Set(written),
    warnings: [...keysReadOver(parts, sections), ...variablesReadOver(env, sections)]
  }
}

/** All sections with the values given, as a file to be read again. */
export function writeServiceJson<const S extends Sections> (sections: S, configs: Configs<S>): string {
  const tree: Record<string, Record<string, unknown>> = {}
  for (const [name, section] of Object.entries(sections)) {
    const [top, sub] = section.path.split('.') as [string, string?]
    const values = writeSection(section, configs[name]!)
    tree[top] = sub === undefined ? values : { ...tree[top], [sub]: values }
  }
  return `${JSON.stringify(tree, null, 2)}\n`
}

type Part = Readonly<Record<string, unknown>>

function parseTree (json: string): Part {
  let tree: unknown
  try {
    tree = JSON.parse(json)
  } catch (err) {
    return refuse((err as Error).message, err)
  }
  return isPart(tree) ? tree : refuse('expected a JSON object')
}

/** The file's parts by path. A known path of one word is a section itself; others are one level down. */
function partsOf (tree: Part, known: readonly string[]): Map<string, Part> {
  const parts = new Map<string, Part>()
  const tops = new Set(known.map(path => path.split('.')[0]!))
  for (const [top, value] of Object.entries(tree)) {
    if (!tops.has(top)) refuse(`${top}: unknown section${didYouMean(top, tops)}`)
    if (value === null) continue
    if (!isPart(value)) refuse(`${top}: expected an object`)
    if (known.includes(top)) {
      parts.set(top, value as Part)
      continue
    }
    for (const [sub, part] of Object.entries(value as Part)) {
      const path = `${top}.${sub}`
      if (!known.includes(path)) refuse(`${path}: unknown section${didYouMean(sub, known.filter(k => k.startsWith(`${top}.`)).map(k => k.slice(top.length + 1)))}`)
      if (part === null) continue
      if (!isPart(part)) refuse(`${path}: expected an object`)
      parts.set(path, part as Part)
    }
  }
  return parts
}

function keysReadOver (parts: ReadonlyMap<string, Part>, sections: Sections): string[] {
  const keys = Object.values(sections).flatMap(({ path, goOnly }) => Object.keys(parts.get(path) ?? {}).filter(key => goOnly.includes(key)).map(key => `${path}.${key}`))
  const whole = goSections.filter(path => parts.has(path))
  const names = [...whole, ...keys]
  return names.length === 0 ? [] : [`service.json has settings that have no effect here: ${names.join(', ')}`]
}

function variablesReadOver (env: Environment, sections: Sections): string[] {
  const known = new Set([...elsewhereVariables, ...Object.values(sections).flatMap(({ envPrefix, fields }) => Object.keys(fields).map(field => variableOf(envPrefix, field)))])
  const strangers = Object.keys(env).filter(name => name.startsWith('CLUSTER_') && env[name] !== '' && !known.has(name))
  return strangers.length === 0 ? [] : [`variables that have no effect here: ${strangers.map(name => goVariables.test(name) ? name : name + didYouMean(name, known)).join(', ')}`]
}

const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value)

function refuse (message: string, cause?: unknown): never {
  throw new ClusterError('ERR_INVALID_ARGUMENT', message, { cause })
}
