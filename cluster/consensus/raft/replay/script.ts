/** One command of a script and what it must answer. */
export interface Directive {
  readonly command: string
  readonly args: readonly Argument[]
  /** The lines between the command and the separator. */
  readonly input: string
  readonly expected: string
  /** Where it starts, from 1. */
  readonly line: number
}

export interface Argument {
  readonly key: string
  /** Of `key=value` or `key=(a, b)`; none for a bare word. */
  readonly values: readonly string[]
}

/** A line of a script that cannot be read. */
export class ScriptError extends Error {
  override get name (): string { return 'ScriptError' }
}

const separator = '----'

/**
 * Reads a script in the format of cockroachdb/datadriven: comments and blank lines between directives; a directive
 * line (continued after a `\` at its end), its input, `----`, and the expected output up to a blank line, or, if it
 * has blank lines itself, between `----` doubled on both sides.
 */
export function parseScript (text: string): readonly Directive[] {
  const lines = new Lines(text)
  const directives: Directive[] = []
  for (let directive = next(lines); directive !== undefined; directive = next(lines)) directives.push(directive)
  return directives
}

class Lines {
  readonly #lines: readonly string[]
  #at = 0

  constructor (text: string) {
    this.#lines = text.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n')
  }

  get number (): number { return this.#at }

  take (): string | undefined {
    return this.#lines[this.#at++]
  }
}

function next (lines: Lines): Directive | undefined {
  for (let text = lines.take(); text !== undefined; text = lines.take()) {
    let directive = text.trim()
    if (directive === '' || directive.startsWith('#')) continue

    const line = lines.number
    while (directive.endsWith('\\')) directive = `${directive.slice(0, -1)} ${(lines.take() ?? '').trim()}`
    const [command, ...words] = splitWords(directive, line)
    const args = words.map(parseArgument)
    // It only groups what follows: nothing is asked and nothing answered.
    if (command === 'subtest') return { command, args, input: '', expected: '', line }
    const input = readInput(lines)
    return {
      command: command!,
      args,
      input: input.text,
      expected: input.hasOutput ? readExpected(lines) : '',
      line
    }
  }
  return undefined
}

function readInput (lines: Lines): { readonly text: string, readonly hasOutput: boolean } {
  const input: string[] = []
  for (let line = lines.take(); line !== undefined; line = lines.take()) {
    if (line === separator) return { text: input.join('\n').trim(), hasOutput: true }
    input.push(line)
  }
  return { text: input.join('\n').trim(), hasOutput: false }
}

function readExpected (lines: Lines): string {
  const first = lines.take()
  if (first === separator) return readWithBlankLines(lines)

  let expected = ''
  for (let line = first; line !== undefined && line.trim() !== ''; line = lines.take()) expected += `${line}\n`
  return expected
}

function readWithBlankLines (lines: Lines): string {
  let expected = ''
  for (let line = lines.take(); line !== undefined; line = lines.take()) {
    if (line !== separator) {
      expected += `${line}\n`
      continue
    }
    const after = lines.take()
    if (after === separator) {
      const blank = lines.take()
      if ((blank ?? '') !== '') throw new ScriptError(`line ${lines.number}: a blank line must follow the output's end`)
      return expected
    }
    expected += `${line}\n${after === undefined ? '' : `${after}\n`}`
  }
  return expected
}

/** Words are parted by spaces, but not within the parentheses of a `key=(…)`, which may hold others. */
function splitWords (text: string, line: number): readonly string[] {
  const words: string[] = []
  let word = ''
  let depth = 0
  for (const char of text) {
    if (char === ' ' && depth === 0) {
      if (word !== '') words.push(word)
      word = ''
      continue
    }
    const isNested = depth > 0 || /^[^=]+=$/.test(word)
    if (isNested && char === '(') depth++
    if (isNested && char === ')') depth--
    word += char
  }
  if (depth > 0) throw new ScriptError(`line ${line}: a parenthesis is never closed in ${JSON.stringify(text)}`)
  return word === '' ? words : [...words, word]
}

function parseArgument (word: string): Argument {
  const at = word.indexOf('=')
  if (at < 0) return { key: word, values: [] }
  const value = word.slice(at + 1)
  const inner = /^\((.*)\)$/.exec(value)?.[1]
  if (inner === undefined) return { key: word.slice(0, at), values: [value] }
  return { key: word.slice(0, at), values: inner.split(/[\s,]+/).filter(part => part !== '') }
}

/** Refused in the words that scripts expect. */
export function wholeNumber (text: string | undefined): number {
  if (text === undefined || !/^\d+$/.test(text)) throw new ScriptError(`strconv.ParseUint: parsing ${JSON.stringify(text ?? '')}: invalid syntax`)
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new ScriptError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
  return value
}

const truths: Readonly<Record<string, boolean>> = {
  1: true, t: true, T: true, true: true, TRUE: true, True: true, 0: false, f: false, F: false, false: false, FALSE: false, False: false
}

export function truth (text: string): boolean {
  const value = truths[text]
  if (value === undefined) throw new ScriptError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
  return value
}
