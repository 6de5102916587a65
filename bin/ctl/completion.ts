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
const flagWords = (flags: Flags): string => Object.entries(allFlags(flags)).flatMap(([name, flag]) => spellings(name, flag)).join(' ')
const identifier = (name: string): string => `_${name.replaceAll(/\W/g, '_')}`
/** Flags whose value is no command word: it is to be stepped over. */
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
  return new Map(all.flatMap(([name, flag]) => flag.words === undefined ? [] : spellings(name, flag).map(spelling => [spelling, flag.words!.filter(word => word !== '')] as const)))
}

function bashScript (program: Program): string {
  const { name } = program
  const skipped = [...new Set([program.flags, ...Object.values(program.commands).map(({ flags = {} }) => flags)].flatMap(valued))]
  return [
    `# Completion of ${name} for bash.`,
    `${identifier(name)} () {`,
    '  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path= i',
    '  COMPREPLY=()',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case ${COMP_WORDS[i]} in',
    `      ${skipped.join('|')}) ((i++)) ;;`,
    '      -*) ;;',
    '      *)',
    '        case "${path:+$path }${COMP_WORDS[i]}" in',
    `          ${levelsOf(program).filter(({ path }) => path !== '').map(({ path }) => `'${path}'`).join('|')}) path="\${path:+$path }\${COMP_WORDS[i]}" ;;`,
    '        esac ;;',
    '    esac',
    '  done',
    '  case $previous in',
    ...[...choicesOf(program)].map(([flag, words]) => `    ${flag}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$word")); return ;;`),
    `    ${skipped.join('|')}) COMPREPLY=($(compgen -f -- "$word")); return ;;`,
    '  esac',
    '  case $path in',
    ...levelsOf(program).map(({ path, flags, next }) => `    '${path}') if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '${flagWords(flags)}' -- "$word")); else COMPREPLY=($(compgen ${next.length === 0 ? path === 'add' ? '-f' : '-W \'\'' : `-W '${next.join(' ')}'`} -- "$word")); fi ;;`),
    '  esac',
    '}',
    `complete -o filenames -F ${identifier(name)} ${name}`,
    ''
  ].join('\n')
}

function zshScript (program: Program): string {
  return [
    `#compdef ${program.name}`,
    `# Completion of ${program.name} for zsh: bash's, which zsh understands.`,
    'autoload -Uz bashcompinit && bashcompinit',
    bashScript(program).trimEnd().replace(/^# .*\n/, ''),
    ''
  ].join('\n')
}

function fishScript (program: Program): string {
  const { name, flags, commands } = program
  const groups = wordsOf(program).filter(word => membersOf(program, word).length > 0)
  const seen = (words: string): string => `'__fish_seen_subcommand_from ${words}'`
  const line = (condition: string, rest: string): string => `complete -c ${name} -n ${condition} ${rest}`
  const about = (text: string): string => `-d '${text.split('\n')[0]!.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const flagLines = (condition: string, flags: Flags): readonly string[] => Object.entries(flags).map(([flag, { aliases = [], type, words, help }]) => {
    const names = [flag, ...aliases].map(n => n.length === 1 ? `-s ${n}` : `-l ${n}`).join(' ')
    return line(condition, `${names}${type === 'string' ? words === undefined ? ' -r' : ` -x -a '${words.join(' ').trim()}'` : ''} ${about(help)}`)
  })
  return [
    `# Completion of ${name} for fish.`,
    `complete -c ${name} -f`,
    ...Object.entries(commands).filter(([path]) => !path.includes(' ')).map(([path, { help }]) => line('__fish_use_subcommand', `-a ${path} ${about(help)}`)),
    ...groups.map(group => line('__fish_use_subcommand', `-a ${group} ${about(program.groups?.[group] ?? group)}`)),
    ...flagLines('__fish_use_subcommand', flags),
    ...groups.flatMap(group => membersOf(program, group).map(member => line(`'__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${membersOf(program, group).join(' ')}'`, `-a ${member} ${about(commands[`${group} ${member}`]!.help)}`))),
    ...Object.entries(commands).flatMap(([path, { flags = {} }]) => flagLines(path.includes(' ') ? seen(path.replace(' ', '; and __fish_seen_subcommand_from ')) : seen(path), flags)),
    line(seen('add'), '-F'),
    line(seen('completion'), `-a '${Object.keys(shells).join(' ')}'`),
    ''
  ].join('\n')
}
