import { parseArgs } from 'node:util'
import { didYouMean } from '../cluster/config/suggestion.ts'
import { helpOf, membersOf } from './help.ts'

/** One flag. Go's forms are all understood: `--name x`, `--name=x`, `-name x`, and `--yes=false` for a switch. */
export interface Flag {
  readonly type: 'string' | 'boolean'
  /** Further names; those of one letter are written with one dash. */
  readonly aliases?: readonly string[]
  readonly multiple?: boolean
  /** Variable that stands in where the flag is not given. */
  readonly env?: string
  readonly fallback?: string
  /** What a value has to be; any text unless it is said. A duration is one of Go's, like 1m30s. */
  readonly kind?: 'integer' | 'duration'
  /** The only values there are. */
  readonly words?: readonly string[]
  readonly help: string
}
export type Flags = Readonly<Record<string, Flag>>

export interface Command {
  /** What follows the name, for people: `<cid|path>`. */
  readonly usage?: string
  /** How many arguments there may be; `Infinity` for any number. */
  readonly args?: { readonly min: number, readonly max: number }
  readonly flags?: Flags
  /** The first line stands in lists of commands. */
  readonly help: string
  /** What may be typed after the program's name. */
  readonly examples?: readonly string[]
}

export interface Program {
  readonly name: string
  readonly version: string
  readonly about: string
  readonly flags: Flags
  /** By the words that name them: `pin add`. */
  readonly commands: Readonly<Record<string, Command>>
  /** What the first words of two-word commands are about, by that word. */
  readonly groups?: Readonly<Record<string, string>>
  readonly examples?: readonly string[]
  /** Without a command the help is what was asked for, and no error. */
  readonly isHelpByDefault?: boolean
}

/** A command as it was asked for. `flags` holds the program's and the command's own by their first names. */
export interface Invocation {
  readonly command: string
  readonly args: readonly string[]
  readonly flags: Values
}

/** Typed reading of flags that may not be there. */
export interface Values {
  text (name: string): string | undefined
  texts (name: string): readonly string[]
  is (name: string): boolean
}

/** Wrong use of a program: its message is for the one who typed. */
export class UsageError extends Error {
  constructor (message: string) {
    super(message)
    this.name = new.target.name
  }
}

export type Parsed = { readonly kind: 'run', readonly invocation: Invocation } | { readonly kind: 'show', readonly text: string }

/**
 * What stands before the command is the program's, what follows is the command's first and else the program's: one letter may mean
 * different things in the two places, as in the Go programs.
 *
 * @throws UsageError naming the word that was not understood and the one that was probably meant
 */
export function parseCommandLine (program: Program, argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Parsed {
  const { before, after } = splitAtCommand(program, argv)
  const globals = read(program, program.flags, before, 'before the command')
  if (globals.values['version'] === true) return { kind: 'show', text: `${program.name} version ${program.version}\n` }
  const topic = helpAskedFor(program, after, globals.values['help'] === true)
  if (topic !== undefined) return { kind: 'show', text: helpOf(program, topic === '' ? undefined : topic) }
  if (after.length === 0) throw new UsageError(`${helpOf(program)}\nno command given`)

  const name = commandNamed(program, after)
  if (name === undefined) throw new UsageError(unknownCommand(program, after))
  const command = program.commands[name]!
  const merged = { ...program.flags, ...command.flags }
  const own = read(program, merged, after.slice(name.split(' ').length), `for ${name}`)
  if (own.values['help'] === true) return { kind: 'show', text: helpOf(program, name) }
  if (own.values['version'] === true) throw new UsageError(`--version belongs before the command; the peer's version: ${program.name} version`)

  const { min, max } = command.args ?? { min: 0, max: 0 }
  if (own.positionals.length < min || own.positionals.length > max) {
    throw new UsageError(`${program.name} ${name}: expected ${max === Infinity ? `at least ${min}` : min === max ? min : `${min} to ${max}`} argument${max === 1 ? '' : 's'}, got ${own.positionals.length}\nusage: ${program.name} ${name} ${command.usage ?? ''}`.trimEnd())
  }
  return { kind: 'run', invocation: { command: name, args: own.positionals, flags: valuesOf(merged, { ...globals.values, ...own.values }, env) } }
}

type Value = string | boolean | readonly (string | boolean)[] | undefined
type Read = Readonly<Record<string, Value>>

/** The first word that is neither a flag nor a flag's value begins the command. */
function splitAtCommand (program: Program, argv: readonly string[]): { before: readonly string[], after: readonly string[] } {
  const names = namesOf(program.flags)
  let at = 0
  while (at < argv.length && argv[at]!.startsWith('-')) {
    const [name, value] = bare(argv[at]!)
    at += value === undefined && program.flags[names.get(name) ?? '']?.type === 'string' ? 2 : 1
  }
  return { before: argv.slice(0, at), after: argv.slice(at) }
}

function commandNamed ({ commands }: Program, words: readonly string[]): string | undefined {
  return [words.slice(0, 2).join(' '), words[0] ?? ''].find(name => Object.hasOwn(commands, name))
}

const helpFlag = /^--?(h|help)$/

/** A group by itself, or with nothing but the wish for help. */
function isGroup (program: Program, [group = '', next, ...rest]: readonly string[]): boolean {
  return membersOf(program, group).length > 0 && rest.length === 0 && (next === undefined || helpFlag.test(next))
}

/** A command, a group, or '' for the whole program, where help is what was asked for. @throws UsageError when there is no such */
function helpAskedFor (program: Program, words: readonly string[], isFlagged: boolean): string | undefined {
  if (words.length === 0) return isFlagged || program.isHelpByDefault === true ? '' : undefined
  if (isGroup(program, words)) return words[0]
  const isHelp = words[0] === 'help' || words[0] === 'h'
  if (!isHelp && !isFlagged) return undefined
  const asked = isHelp ? words.slice(1).filter(word => !helpFlag.test(word)) : words
  const name = commandNamed(program, asked) ?? (asked.length === 1 && membersOf(program, asked[0]!).length > 0 ? asked[0] : undefined)
  if (name === undefined && asked.length > 0) throw new UsageError(unknownCommand(program, asked))
  return name ?? ''
}

function unknownCommand (program: Program, [first = '', second]: readonly string[]): string {
  const members = membersOf(program, first)
  if (members.length > 0) return `${program.name} ${first}: expected one of ${members.join(', ')}${second === undefined ? '' : `, got ${second}${didYouMean(second, members)}`}`
  const names = Object.keys(program.commands).flatMap(name => [name, name.split(' ')[0]!])
  return `${program.name}: no command ${JSON.stringify(first)}${didYouMean(first, names)}; try ${program.name} --help`
}

function read (program: Program, flags: Flags, argv: readonly string[], where: string): { values: Read, positionals: readonly string[] } {
  const all: Flags = { help: { type: 'boolean', aliases: ['h'], help: 'show this text' }, ...flags }
  const names = namesOf(all)
  const options = Object.fromEntries(Object.entries(all).map(([name, { type, multiple }]) => [name, { type, multiple: multiple === true }]))
  try {
    const { values, positionals } = parseArgs({ args: normalised(program, all, names, argv, where), options, allowPositionals: true, strict: true })
    return { values, positionals }
  } catch (err) {
    throw err instanceof UsageError ? err : new UsageError((err as Error).message)
  }
}

/** Go's spellings → parseArgs' own. After `--` nothing is a flag. */
function normalised (program: Program, flags: Flags, names: ReadonlyMap<string, string>, argv: readonly string[], where: string): string[] {
  const out: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === '--') return [...out, ...argv.slice(at)]
    if (!word.startsWith('-') || word === '-') {
      out.push(word)
      continue
    }
    const [written, value] = bare(word)
    const name = names.get(written)
    if (name === undefined) throw new UsageError(`unknown flag ${word.split('=')[0]} ${where}${elsewhere(program, written) || didYouMean(written, names.keys())}`)
    if (flags[name]!.type === 'boolean') {
      // Of a switch that is given twice the last counts, and one that is turned off is as one that is not there.
      const others = out.filter(earlier => earlier !== `--${name}`)
      out.splice(0, out.length, ...others, ...isOn(name, value) ? [`--${name}`] : [])
    } else {
      if (value === undefined && at + 1 >= argv.length) throw new UsageError(`--${name} wants a value`)
      out.push(`--${name}=${checked(name, flags[name]!, value ?? argv[++at]!)}`)
    }
  }
  return out
}

/** Commands that know a flag which is not known where it stands. */
function elsewhere ({ commands }: Program, written: string): string {
  const owners = Object.entries(commands).filter(([, { flags = {} }]) => namesOf(flags).has(written)).map(([name]) => name)
  return owners.length === 0 ? '' : ` (it belongs after ${owners.join(', ')})`
}

const kinds = { integer: { form: /^[+-]?\d{1,15}$/, words: 'an integer' }, duration: { form: /^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/, words: 'a duration like 30s or 1h30m' } } as const

function checked (name: string, { kind, words }: Flag, text: string): string {
  if (words !== undefined && !words.includes(text)) throw new UsageError(`--${name}: expected ${words.join(' or ')}, got ${JSON.stringify(text)}${didYouMean(text, words)}`)
  if (kind !== undefined && !kinds[kind].form.test(text)) throw new UsageError(`--${name}: expected ${kinds[kind].words}, got ${JSON.stringify(text)}`)
  return text
}

function isOn (name: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw new UsageError(`--${name}: expected true or false`)
}

function bare (word: string): [name: string, value: string | undefined] {
  const text = word.replace(/^--?/, '')
  const at = text.indexOf('=')
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function namesOf (flags: Flags): Map<string, string> {
  return new Map(Object.entries(flags).flatMap(([name, { aliases = [] }]) => [name, ...aliases].map(alias => [alias, name] as const)))
}

function valuesOf (flags: Flags, given: Read, env: Readonly<Record<string, string | undefined>>): Values {
  const value = (name: string): Value => given[name] ?? ((env[flags[name]?.env ?? ''] || undefined) ?? flags[name]?.fallback)
  return {
    text: name => { const v = value(name); return typeof v === 'string' ? v : undefined },
    texts: name => { const v = value(name); return v instanceof Array ? v.map(String) : typeof v === 'string' ? [v] : [] },
    is: name => { const v = value(name); return v === true || v === 'true' || v === '1' }
  }
}
