import { parseArgs } from 'node:util'
import { didYouMean } from '../cluster/config/suggestion.ts'

/** One flag. Go's forms are all understood: `--name x`, `--name=x`, `-name x`, and `--yes=false` for a switch. */
export interface Flag {
  readonly type: 'string' | 'boolean'
  /** Further names; those of one letter are written with one dash. */
  readonly aliases?: readonly string[]
  readonly multiple?: boolean
  /** Variable that stands in where the flag is not given. */
  readonly env?: string
  readonly fallback?: string
  readonly help: string
}
export type Flags = Readonly<Record<string, Flag>>

export interface Command {
  /** What follows the name, for people: `<cid|path>`. */
  readonly usage?: string
  /** How many arguments there may be; `Infinity` for any number. */
  readonly args?: { readonly min: number, readonly max: number }
  readonly flags?: Flags
  readonly help: string
}

export interface Program {
  readonly name: string
  readonly version: string
  readonly about: string
  readonly flags: Flags
  /** By the words that name them: `pin add`. */
  readonly commands: Readonly<Record<string, Command>>
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
  const globals = read(program.flags, before, 'before the command')
  if (globals.values['version'] === true) return { kind: 'show', text: `${program.name} version ${program.version}\n` }
  if (globals.values['help'] === true || after[0] === 'help' || after[0] === 'h') return { kind: 'show', text: helpOf(program, commandNamed(program, after.slice(1))) }
  if (after.length === 0) throw new UsageError(`${helpOf(program)}\nno command given`)

  const name = commandNamed(program, after)
  if (name === undefined) throw new UsageError(unknownCommand(program, after))
  const command = program.commands[name]!
  const merged = { ...program.flags, ...command.flags }
  const own = read(merged, after.slice(name.split(' ').length), `for ${name}`)
  if (own.values['help'] === true) return { kind: 'show', text: helpOf(program, name) }

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

function unknownCommand (program: Program, words: readonly string[]): string {
  const names = Object.keys(program.commands)
  const group = names.filter(name => name.startsWith(`${words[0]} `))
  if (group.length > 0) return `${program.name} ${words[0]}: expected one of ${group.map(name => name.split(' ')[1]).join(', ')}${words[1] === undefined ? '' : `, got ${words[1]}`}`
  return `${program.name}: no command ${JSON.stringify(words[0])}${didYouMean(words[0]!, names)}; try ${program.name} --help`
}

function read (flags: Flags, argv: readonly string[], where: string): { values: Read, positionals: readonly string[] } {
  const all: Flags = { help: { type: 'boolean', aliases: ['h'], help: 'show this text' }, ...flags }
  const names = namesOf(all)
  const options = Object.fromEntries(Object.entries(all).map(([name, { type, multiple }]) => [name, { type, multiple: multiple === true }]))
  try {
    const { values, positionals } = parseArgs({ args: normalised(all, names, argv, where), options, allowPositionals: true, strict: true })
    return { values, positionals }
  } catch (err) {
    throw err instanceof UsageError ? err : new UsageError((err as Error).message)
  }
}

/** Go's spellings → parseArgs' own. After `--` nothing is a flag. */
function normalised (flags: Flags, names: ReadonlyMap<string, string>, argv: readonly string[], where: string): string[] {
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
    if (name === undefined) throw new UsageError(`unknown flag ${word.split('=')[0]} ${where}${didYouMean(written, names.keys())}`)
    if (flags[name]!.type === 'boolean') {
      // Of a switch that is given twice the last counts, and one that is turned off is as one that is not there.
      const others = out.filter(earlier => earlier !== `--${name}`)
      out.splice(0, out.length, ...others, ...isOn(name, value) ? [`--${name}`] : [])
    } else {
      if (value === undefined && at + 1 >= argv.length) throw new UsageError(`--${name} wants a value`)
      out.push(`--${name}=${value ?? argv[++at]}`)
    }
  }
  return out
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

/** Help for the program, or for one of its commands. */
export function helpOf (program: Program, name?: string): string {
  if (name !== undefined) {
    const { usage = '', help, flags = {} } = program.commands[name]!
    return `${program.name} ${name} ${usage}`.trimEnd() + `\n\n  ${help}\n${flagLines(flags)}`
  }
  const widest = Math.max(...Object.keys(program.commands).map(command => command.length))
  const commands = Object.entries(program.commands).map(([command, { help }]) => `  ${command.padEnd(widest)}  ${help.split('\n')[0]}\n`).join('')
  return `${program.name} ${program.version}: ${program.about}\n\nusage: ${program.name} [global flags] <command> [flags] [arguments]\n\ncommands:\n${commands}${flagLines(program.flags)}`
}

function flagLines (flags: Flags): string {
  const rows = Object.entries(flags).map(([name, { aliases = [], type, env, fallback, help }]) => {
    const spelled = [name, ...aliases].map(n => n.length === 1 ? `-${n}` : `--${n}`).join(', ') + (type === 'string' ? ' value' : '')
    return { spelled, said: help + (fallback === undefined ? '' : ` (default ${fallback})`) + (env === undefined ? '' : ` [$${env}]`) }
  })
  const widest = Math.max(0, ...rows.map(({ spelled }) => spelled.length))
  return rows.length === 0 ? '' : `\nflags:\n${rows.map(({ spelled, said }) => `  ${spelled.padEnd(widest)}  ${said}\n`).join('')}`
}
