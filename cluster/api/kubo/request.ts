import { quoteGo } from './go-text.ts'
import { parseGoBool, parseGoInteger } from './go-values.ts'
import { parseGoQuery } from './query.ts'

/** One option of a command, as go-ipfs-cmds declares it. The table's key is the first name; the default is filled in when none is given. */
export type OptionSpec =
  | { readonly type: 'bool', readonly aliases?: readonly string[], readonly fallback?: boolean }
  | { readonly type: 'int' | 'uint' | 'float', readonly aliases?: readonly string[], readonly fallback?: number }
  | { readonly type: 'int64' | 'uint64', readonly aliases?: readonly string[], readonly fallback?: bigint }
  | { readonly type: 'string', readonly aliases?: readonly string[], readonly fallback?: string }
  | { readonly type: 'strings', readonly aliases?: readonly string[] }

export type OptionTable = Readonly<Record<string, OptionSpec>>

interface ValueOf { bool: boolean, int: number, uint: number, float: number, int64: bigint, uint64: bigint, string: string, strings: readonly string[] }

/** The options of one call: a declared default makes a value certain, otherwise it may be absent. */
export type OptionsOf<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends { readonly fallback: unknown } ? ValueOf[T[K]['type']] : ValueOf[T[K]['type']] | undefined
}

export interface ArgumentSpec {
  readonly name: string
  readonly kind: 'string' | 'file'
  readonly required: boolean
  readonly variadic: boolean
  /** Further values may come as lines of the first part of a multipart body (go-ipfs-cmds `EnableStdin`). */
  readonly stdin: boolean
}

/** What Kubo's parser needs to know of a command. */
export interface CommandShape<T extends OptionTable = OptionTable> {
  /** Without `/api/v0/`: `pin/add`. */
  readonly path: string
  readonly args: readonly ArgumentSpec[]
  readonly options: T
}

/** Options every command has (Kubo's root command). */
export const globalOptions = {
  'repo-dir': { type: 'string' },
  'config-file': { type: 'string' },
  config: { type: 'string', aliases: ['c'] },
  debug: { type: 'bool', aliases: ['D'] },
  help: { type: 'bool' },
  h: { type: 'bool' },
  local: { type: 'bool', aliases: ['L'] },
  offline: { type: 'bool' },
  api: { type: 'string' },
  'api-auth': { type: 'string' },
  'cid-base': { type: 'string' },
  'upgrade-cidv0-in-output': { type: 'bool' },
  encoding: { type: 'string', aliases: ['enc'], fallback: 'json' },
  'stream-channels': { type: 'bool' },
  timeout: { type: 'string' }
} as const satisfies OptionTable

export type GlobalOptions = OptionsOf<typeof globalOptions>

export interface ParsedRequest<T extends OptionTable = OptionTable> {
  readonly options: OptionsOf<T> & GlobalOptions
  /** From the path, then from the query; arguments in the body are not among them. */
  readonly args: readonly string[]
}

/** The request is refused before the command runs: 400, `text/plain`, and `message` is Kubo's own text. */
export class KuboParseError extends Error {
  constructor (message: string) {
    super(message)
    this.name = new.target.name
  }
}

/**
 * Reads a request as go-ipfs-cmds does (`http/parse.go`, `request.go`): aliases, defaults, one value a key, Go's spellings.
 *
 * @param pathArgument what stood behind the command in the path (`pin/add/Qm…`), the first argument
 * @param body whether there is a multipart body: it stands for a required file, and for a missing argument that may come from stdin
 * @throws KuboParseError in the order and words of Kubo; where several options are wrong Kubo names any of them
 */
export function parseKuboRequest<T extends OptionTable> (
  command: CommandShape<T>, { pathArgument, rawQuery, body }: { pathArgument: string | undefined, rawQuery: string, body: 'multipart' | 'none' }
): ParsedRequest<T> {
  const query = parseGoQuery(rawQuery)
  const given = givenOptions(command.options, query)
  const stringsBefore = command.args.findIndex(({ kind, required }) => kind === 'file' && required)
  const missingFile = givenStrings(pathArgument, query) < stringsBefore ? undefined : command.args[stringsBefore]
  if (missingFile !== undefined && body === 'none') throw new KuboParseError(`file argument '${missingFile.name}' is required`)

  const options = convertOptions(command.options, given)
  const args = [...pathArgument === undefined ? [] : [pathArgument], ...query.get('arg') ?? []]
  requireArguments(command.args, args, body)
  return { options: options as OptionsOf<T> & GlobalOptions, args }
}

/** Kubo looks at a required file only once the arguments before it are there. */
function givenStrings (pathArgument: string | undefined, query: ReadonlyMap<string, readonly string[]>): number {
  return (query.get('arg')?.length ?? 0) + (pathArgument === undefined ? 0 : 1)
}

type Given = ReadonlyMap<string, { readonly spec: OptionSpec, readonly values: readonly string[] }>

function givenOptions (table: OptionTable, query: ReadonlyMap<string, readonly string[]>): Given {
  const given = new Map<string, { spec: OptionSpec, values: readonly string[] }>()
  for (const [key, values] of query) {
    const found = key === 'arg' ? undefined : findOption(table, key)
    if (found === undefined) continue
    if (found.spec.type !== 'strings' && values.length > 1) {
      throw new KuboParseError(`expected key ${found.name} to have only a single value, received [${values.join(' ')}]`)
    }
    given.set(found.name, { spec: found.spec, values })
  }
  return given
}

function findOption (table: OptionTable, key: string): { readonly name: string, readonly spec: OptionSpec } | undefined {
  const names = namesOf(table)
  const name = names.get(key) ?? globalNames.get(key)
  if (name === undefined) return undefined
  const spec = names.has(key) ? table[name] : globalOptions[name as keyof typeof globalOptions]
  return spec === undefined ? undefined : { name, spec }
}

const namesByTable = new WeakMap<OptionTable, ReadonlyMap<string, string>>()

/** Every name an option can be given under → its first name. */
function namesOf (table: OptionTable): ReadonlyMap<string, string> {
  const known = namesByTable.get(table)
  if (known !== undefined) return known
  const names = new Map(Object.entries(table).flatMap(([name, { aliases = [] }]) => [name, ...aliases].map(alias => [alias, name] as const)))
  namesByTable.set(table, names)
  return names
}

const globalNames = namesOf(globalOptions)

function convertOptions (table: OptionTable, given: Given): Record<string, unknown> {
  const all: OptionTable = { ...globalOptions, ...table }
  const defaults = Object.entries(all).map(([name, spec]) => [name, 'fallback' in spec ? spec.fallback : undefined])
  const values = [...given].map(([name, { spec, values }]) => [name, spec.type === 'strings' ? values : convertOption(name, spec.type, values[0]!)])
  return Object.fromEntries([...defaults, ...values])
}

const goTypes = { bool: 'bool', int: 'int', uint: 'uint', int64: 'int64', uint64: 'uint64', float: 'float64', string: 'string', strings: 'array' } as const

function convertOption (name: string, type: OptionSpec['type'], text: string): unknown {
  const value = readOption(type, text)
  if (value !== undefined) return value
  const shown = text === '' ? 'empty value' : `value ${quoteGo(text)}`
  throw new KuboParseError(`could not convert ${shown} to type "${goTypes[type]}" (for option "-${name}")`)
}

function readOption (type: OptionSpec['type'], text: string): unknown {
  switch (type) {
    case 'bool': return parseGoBool(text)
    case 'int': return asNumber(parseGoInteger(text, { bits: 32, signed: true }))
    case 'uint': return asNumber(parseGoInteger(text, { bits: 32, signed: false }))
    case 'int64': return parseGoInteger(text, { bits: 64, signed: true })
    case 'uint64': return parseGoInteger(text, { bits: 64, signed: false })
    case 'float': return text.trim() === text && text !== '' && !Number.isNaN(Number(text)) ? Number(text) : undefined
    default: return text
  }
}

const asNumber = (value: bigint | undefined): number | undefined => value === undefined ? undefined : Number(value)

function requireArguments (specs: readonly ArgumentSpec[], args: readonly string[], body: 'multipart' | 'none'): void {
  const required = specs.filter(({ kind, required }) => kind === 'string' && required)
  const missing = required[args.length]
  if (missing === undefined) return
  // The caller reads the body's lines, and throws `missingArgument` when they are none.
  if (missing.stdin && body === 'multipart') return
  throw missingArgument(missing)
}

export function missingArgument ({ name }: ArgumentSpec): KuboParseError {
  return new KuboParseError(`argument ${quoteGo(name)} is required`)
}
