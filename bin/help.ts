import type { Command, Flags, Program } from './args.ts'

/** Help is no wider, as Go's is. */
const columns = 119

/** Help for the program, for one of its groups of commands (`pin`), or for one command (`pin add`). */
export function helpOf (program: Program, name?: string): string {
  if (name === undefined) return programHelp(program)
  const command = program.commands[name]
  return command === undefined ? groupHelp(program, name) : commandHelp(program, name, command)
}

/** The second words of a group: `pin` → `add`, `rm`, … Empty for what is no group. */
export function membersOf ({ commands }: Program, group: string): readonly string[] {
  return Object.keys(commands).filter(name => name.startsWith(`${group} `)).map(name => name.slice(group.length + 1))
}

/** As it is written: `-f`, `--file value`. */
export function spelled (name: string, { aliases = [], type }: Flags[string]): string {
  return [name, ...aliases].map(n => n.length === 1 ? `-${n}` : `--${n}`).join(', ') + (type === 'string' ? ' value' : '')
}

/** What a flag is for, what may be written, what stands for it when it is not given. */
export function meaning ({ help, words, fallback, env }: Flags[string]): string {
  const wordList = words === undefined || help.includes(words[0]!) ? '' : `: ${words.join(', ')}`
  return help + wordList + (fallback === undefined ? '' : ` (default ${fallback})`) + (env === undefined ? '' : ` [$${env}]`)
}

function programHelp (program: Program): string {
  const { name, version, about, flags, commands, examples } = program
  return [
    `${name} ${version}: ${about}\n\nusage: ${name} [global flags] <command> [flags] [arguments]\n`,
    `\ncommands:\n${rows(Object.entries(commands).map(([command, { help }]) => [command, firstLine(help)]))}`,
    flagRows('global flags', flags),
    exampleRows(program, examples),
    `\n${name} <command> --help says more.\n`
  ].join('')
}

function groupHelp (program: Program, group: string): string {
  const { name, commands, groups = {} } = program
  const members = membersOf(program, group)
  return [
    `${name} ${group} <command>\n\n  ${groups[group] ?? members.join(', ')}\n`,
    `\ncommands:\n${rows(members.map(member => [member, firstLine(commands[`${group} ${member}`]!.help)]))}`,
    exampleRows(program, members.flatMap(member => commands[`${group} ${member}`]!.examples?.slice(0, 1) ?? [])),
    `\n${name} ${group} <command> --help says more.\n`
  ].join('')
}

function commandHelp (program: Program, name: string, { usage = '', help, flags = {}, examples }: Command): string {
  return `${`${program.name} ${name} ${usage}`.trimEnd()}\n\n  ${help.split('\n').flatMap(line => wrapped(line, columns - 2)).join('\n  ')}\n${flagRows('flags', flags)}${exampleRows(program, examples)}`
}

function flagRows (title: string, flags: Flags): string {
  const entries = Object.entries(flags)
  return entries.length === 0 ? '' : `\n${title}:\n${rows(entries.map(([name, flag]) => [spelled(name, flag), meaning(flag)]))}`
}

function exampleRows ({ name }: Program, examples: readonly string[] = []): string {
  return examples.length === 0 ? '' : `\nexamples:\n${examples.map(example => `  ${name} ${example}\n`).join('')}`
}

function rows (pairs: readonly (readonly [string, string])[]): string {
  const widest = Math.max(0, ...pairs.map(([left]) => left.length))
  const indent = ' '.repeat(widest + 4)
  return pairs.map(([left, right]) => `  ${left.padEnd(widest)}  ${wrapped(right, columns - indent.length).join(`\n${indent}`)}\n`).join('')
}

function wrapped (text: string, width: number): readonly string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

const firstLine = (text: string): string => text.split('\n')[0]!
