import { ClusterError } from '../api/errors.ts'
import { withFetched } from './fetched.ts'
import { boolean, jsonKeyOf, variableOf, writeSection } from './section.ts'
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

const sourceKey = 'source'
export const crdtSection = 'consensus.crdt'
/** Sections of the Go program's file that have no part to configure here. */
const goSections: readonly string[] = [
  crdtSection, 'api.pinsvcapi', 'informer.numpin',
  'observations.tracing', 'datastore.pebble', 'datastore.badger3', 'datastore.badger', 'datastore.leveldb'
]
/** What the Go program's variables start with where there is no part for them here. */
const goVariables = /^CLUSTER_(CRDT|PINSVCAPI|NUMPIN|TRACING|PEBBLE|BADGER3|BADGER|LEVELDB)_/
const followerVariable = 'CLUSTER_FOLLOWERMODE'
const elsewhereVariables: readonly string[] = ['CLUSTER_ID', 'CLUSTER_PRIVATEKEY', 'CLUSTER_CREDENTIALS', followerVariable]
/** The Go program's variables that mean here what another one does, unless that is set. */
const otherNames: Readonly<Record<string, string>> = { CLUSTER_CRDT_TRUSTEDPEERS: 'CLUSTER_RAFT_TRUSTEDPEERS' }

function withOtherNames (env: Environment): Environment {
  const given = Object.entries(otherNames).filter(([other, name]) => env[other] && !env[name]).map(([other, name]) => [name, env[other]] as const)
  return Object.fromEntries([...Object.entries(env).filter(([name]) => !Object.hasOwn(otherNames, name)), ...given])
}

/** A follower changes nothing by itself; as a member that is trusted it could. @throws ClusterError ERR_INVALID_ARGUMENT */
function assertNoFollower (parts: ReadonlyMap<string, Part>, env: Environment): void {
  const isFollower = boolean(false).parse(env[followerVariable] || (parts.get('cluster')?.['follower_mode'] ?? false))
  if (isFollower) refuse('cluster.follower_mode: which peers only store is agreed on by the cluster here, not by each for itself: leave it out, and set consensus.raft.trusted_peers where the cluster is founded, or ask a peer: ipfs-cluster-ctl peers untrust')
}

/**
 * Reads `service.json` and hands each section its part, with the environment over it. What nobody knows is refused: a misspelt setting
 * that is silently ignored is the worst kind. What only the Go program knows is read over, with one warning.
 *
 * @param json the file's text
 * @param fetched what stands at the address that the file has as its `source`; the file's own settings stand over it
 * @throws ClusterError ERR_INVALID_ARGUMENT naming section, key and what was expected
 */
export function readServiceJson<const S extends Sections> (json: string, sections: S, given: Environment, fetched = '{}'): Loaded<S> {
  const env = withOtherNames(given)
  const { [sourceKey]: _, ...own } = parseTree(json)
  const known = [...Object.values(sections).map(({ path }) => path), ...goSections]
  const parts = withFetched(partsOf(own, known), fetchedParts(fetched, known), sections, env)
  if (parts.has(crdtSection)) refuse(`${crdtSection}: the peers agree by Raft here; "ipfs-cluster-service config convert" makes a configuration for it of this one, and docs/migrate-from-go.md tells how the pins come along`)
  assertNoFollower(parts, env)
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
  return fileText(treeOf(Object.entries(sections).map(([name, section]) => [section.path, writeSection(section, configs[name]!)])))
}

/** A file that has the rest from an address: what the environment sets, and where the rest is. @throws ClusterError ERR_INVALID_ARGUMENT */
export function writeSourcedJson (source: URL, sections: Sections, given: Environment): string {
  const env = withOtherNames(given)
  const { configs } = readServiceJson('{}', sections, env)
  const own = Object.entries(sections).map(([name, section]): [string, Part] => {
    const isSet = new Set(Object.keys(section.fields).filter(field => env[variableOf(section.envPrefix, field)]).map(jsonKeyOf))
    return [section.path, Object.fromEntries(Object.entries(writeSection(section, configs[name]!)).filter(([key]) => isSet.has(key)))]
  })
  return fileText({ [sourceKey]: source.href, ...treeOf(own.filter(([, values]) => Object.keys(values).length > 0)) })
}

/** Parts by their paths → the object that a file holds. */
export function treeOf (parts: ReadonlyArray<readonly [path: string, values: Part]>): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const [path, values] of parts) {
    const [top, sub] = path.split('.') as [string, string?]
    tree[top] = sub === undefined ? values : { ...tree[top] as Part | undefined, [sub]: values }
  }
  return tree
}

/** Where the rest of the configuration is fetched from, if the file says so. @throws ClusterError ERR_INVALID_ARGUMENT */
export function sourceOf (json: string): URL | undefined {
  const { [sourceKey]: source } = parseTree(json)
  return source === undefined || source === '' ? undefined : parseSource(source)
}

/** @throws ClusterError ERR_INVALID_ARGUMENT for what is no address of a web server */
export function parseSource (written: unknown): URL {
  const url = typeof written === 'string' ? URL.parse(written) : null
  return url !== null && /^https?:$/.test(url.protocol) ? url : refuse(`${sourceKey}: expected an address like https://example.com/service.json`)
}

export type Part = Readonly<Record<string, unknown>>

function fetchedParts (fetched: string, known: readonly string[]): Map<string, Part> {
  const tree = parseTree(fetched)
  return sourceKey in tree ? refuse('a configuration that was fetched may not point to another one') : partsOf(tree, known)
}

/** @throws ClusterError ERR_INVALID_ARGUMENT for what is no JSON object */
export function parseTree (json: string): Part {
  let tree: unknown
  try {
    tree = JSON.parse(json)
  } catch (err) {
    return refuse((err as Error).message.replace(/^(Unexpected .*?), .* is not valid JSON$/s, 'no JSON: $1'), err) // the text that it quotes may be a secret
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
  const known = new Set([...elsewhereVariables, ...Object.values(otherNames), ...Object.values(sections).flatMap(({ envPrefix, fields }) => Object.keys(fields).map(field => variableOf(envPrefix, field)))])
  const strangers = Object.keys(env).filter(name => name.startsWith('CLUSTER_') && env[name] !== '' && !known.has(name))
  return strangers.length === 0 ? [] : [`variables that have no effect here: ${strangers.map(name => goVariables.test(name) ? name : name + didYouMean(name, known)).join(', ')}`]
}

const fileText = (tree: object): string => `${JSON.stringify(tree, null, 2)}\n`
const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value)

function refuse (message: string, cause?: unknown): never {
  throw new ClusterError('ERR_INVALID_ARGUMENT', message, { cause })
}
