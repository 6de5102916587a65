import { UsageError } from '../args.ts'
import type { Flag, Flags, Program } from '../args.ts'
import { membersOf } from '../help.ts'

const shells = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/**
 * A script for a shell that completes the program's commands, flags and what a flag's value may be, written from the table of commands.
 *
 * @throws UsageError for a shell that is not known
 */
export function completionScript (program: Program, shell: string): string {
  if (!Object.hasOwn(shells, shell)) throw new UsageError(`completion: expected ${Object.keys(shells).join(', ')}, got ${JSON.stringify(shell)}`)
  return shells[shell as keyof typeof shells](program)
}

/** All commands, groups before what is in them, a line each, as Go's hidden `commands` has it. */
export function commandList (program: Program): string {
  return [...wordsOf(program).flatMap(word => [word, ...membersOf(program, word).map(member => `${word} ${member}`)]), 'help'].map(line => `${program.name} ${line}\n`).join('')
}

/** First words of commands, each once. */
const wordsOf = ({ commands }: Program): readonly string[] => [...new Set(Object.keys(commands).map(name => name.split(' ')[0]!))]
const allFlags = (flags: Flags): Flags => ({ ...flags, help: { type: 'boolean', aliases: ['h'], help: 'show help' } })
const written = (name: string): string => name.length === 1 ? `-${name}` : `--${name}`
const spellings = (name: string, { aliases = [] }: Flag): readonly string[] => [name, ...aliases].map(written)
const flagWords = (flags: Flags): readonly string[] => Object.entries(allFlags(flags)).flatMap(([name, flag]) => spellings(name, flag))
/** Flags after which a value stands, which is no command. */
const valued = (flags: Flags): readonly string[] => Object.entries(flags).filter(([, { type }]) => type === 'string').flatMap(([name, flag]) => spellings(name, flag))

interface Level { readonly path: string, readonly flags: Flags, readonly next: readonly string[] }

/** What may follow: the program alone, a group, a command. */
function levelsOf (program: Program): readonly Level[] {
  const groups = wordsOf(program).filter(word => membersOf(program, word).length > 0)
  return [
    { path: '', flags: program.flags, next: [...wordsOf(program), 'help'] },
    ...groups.map(group => ({ path: group, flags: {}, next: membersOf(program, group) })),
    ...Object.entries(program.commands).map(([path, { flags = {} }]) => ({ path, flags, next: path === 'completion' ? Object.keys(shells) : [] }))
  ]
}

/** Values that are one of a few words. Where a flag means the same everywhere, it need not be asked of which command it is. */
function choicesOf ({ flags, commands }: Program): ReadonlyMap<string, readonly string[]> {
  const all = [flags, ...Object.values(commands).map(({ flags = {} }) => flags)].flatMap(Object.entries<Flag>)
  return new Map(all.flatMap(([name, flag]) => flag.words === undefined ? [] : spellings(name, flag).map(spelling => [spelling, flag.words!] as const)))
}

/** What bash and zsh say differently. */
interface Dialect {
  readonly name: string
  readonly words: string
  /** Which of the words is being typed. */
  readonly current: string
  /** Where the word after the program's name stands. */
  readonly first: number
  /** Proposes one of these. */
  readonly offer: (words: readonly string[]) => string
  readonly offerFiles: string
}

function bashScript (program: Program): string {
  const name = `_${program.name.replaceAll('-', '_')}`
  const offer = (words: readonly string[]): string => `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$word"))`
  const lines = caseLines(program, { name, words: 'COMP_WORDS', current: 'COMP_CWORD', first: 1, offer, offerFiles: 'COMPREPLY=($(compgen -f -- "$word"))' })
  return [`# Completion of ${program.name} for bash.`, ...lines, `complete -o filenames -F ${name} ${program.name}`, ''].join('\n')
}

function zshScript (program: Program): string {
  const name = `_${program.name}` // as the file is called that zsh finds it in
  const lines = caseLines(program, { name, words: 'words', current: 'CURRENT', first: 2, offer: words => `compadd -- ${words.join(' ')}`, offerFiles: '_files' })
  return [`#compdef ${program.name}`, `# Completion of ${program.name} for zsh.`, ...lines, `if [[ \${funcstack[1]} == ${name} ]]; then ${name} "$@"; else compdef ${name} ${program.name}; fi`, ''].join('\n')
}

/** Finds out which command it is, stepping over flags and their values, and proposes what may stand there. */
function caseLines (program: Program, { name, words, current, first, offer, offerFiles }: Dialect): readonly string[] {
  const levels = levelsOf(program)
  // One letter may be a switch of the program and a flag with a value of a command, so what is stepped over depends on the command.
  const stepping = [
    `    case $at in`,
    ...levels.filter(({ path, flags }) => path !== '' && valued(flags).length > 0).map(({ path, flags }) => `      '${path}') valued=' ${valued({ ...program.flags, ...flags }).join(' ')} ' ;;`),
    `      *) valued=' ${valued(program.flags).join(' ')} ' ;;`,
    '    esac'
  ]
  return [
    `${name} () {`,
    `  local word=\${${words}[${current}]} previous=\${${words}[${current}-1]} at= valued= i`,
    `  for ((i = ${first}; i <= ${current}; i++)); do`,
    ...stepping,
    `    ((i == ${current})) && break`,
    `    if [[ $valued == *" \${${words}[i]} "* ]]; then ((i++)); continue; fi`,
    `    case "\${at:+$at }\${${words}[i]}" in`,
    `      ${levels.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`).join('|')}) at="\${at:+$at }\${${words}[i]}" ;;`,
    '    esac',
    '  done',
    '  case $previous in',
    ...[...choicesOf(program)].map(([flag, choices]) => `    ${flag}) ${offer(choices)}; return ;;`),
    '  esac',
    `  if [[ $valued == *" $previous "* ]]; then ${offerFiles}; return; fi`,
    '  case $at in',
    ...levels.map(({ path, flags, next }) => `    '${path}') if [[ $word == -* ]]; then ${offer(flagWords(flags))}; else ${next.length > 0 ? offer(next) : path === 'add' ? offerFiles : ':'}; fi ;;`),
    '  esac',
    '}'
  ]
}

function fishScript (program: Program): string {
  const { name, flags, commands } = program
  const groups = wordsOf(program).filter(word => membersOf(program, word).length > 0)
  /** Of a command alone: `add`, but not `pin add`. */
  const seen = (path: string): string => {
    const [first, second] = path.split(' ')
    if (second !== undefined) return `'__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}'`
    const namesakes = groups.filter(group => membersOf(program, group).includes(path))
    return `'__fish_seen_subcommand_from ${path}${namesakes.length === 0 ? '' : `; and not __fish_seen_subcommand_from ${namesakes.join(' ')}`}'`
  }
  const line = (condition: string, rest: string): string => `complete -c ${name} -n ${condition} ${rest}`
  const about = (text: string): string => `-d '${text.split('\n')[0]!.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const flagLines = (condition: string, flags: Flags): readonly string[] => Object.entries(flags).map(([flag, { aliases = [], type, words, help }]) => {
    const names = [flag, ...aliases].map(n => n.length === 1 ? `-s ${n}` : `-l ${n}`).join(' ')
    return line(condition, `${names}${type === 'string' ? words === undefined ? ' -r' : ` -x -a '${words.join(' ')}'` : ''} ${about(help)}`)
  })
  return [
    `# Completion of ${name} for fish.`,
    `complete -c ${name} -f`,
    ...Object.entries(commands).filter(([path]) => !path.includes(' ')).map(([path, { help }]) => line('__fish_use_subcommand', `-a ${path} ${about(help)}`)),
    ...groups.map(group => line('__fish_use_subcommand', `-a ${group} ${about(program.groups?.[group] ?? group)}`)),
    ...flagLines('__fish_use_subcommand', flags),
    ...groups.flatMap(group => membersOf(program, group).map(member => line(`'__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${membersOf(program, group).join(' ')}'`, `-a ${member} ${about(commands[`${group} ${member}`]!.help)}`))),
    ...Object.entries(commands).flatMap(([path, { flags = {} }]) => flagLines(seen(path), flags)),
    line(seen('add'), '-F'),
    line(seen('completion'), `-a '${Object.keys(shells).join(' ')}'`),
    ''
  ].join('\n')
}
