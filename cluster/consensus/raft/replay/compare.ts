import { traceMark } from './output.ts'

/**
 * How closely an answer must follow a script. L1: states, logs and refusals. L2: also every message and the whole of
 * every Ready, in any order. L3: in the same order. What etcd says in its log lines is in its own words, which are
 * not ours; of those lines the numbers are compared (at L3), since a different number is a different event.
 */
export type Level = 'L1' | 'L2' | 'L3'
export const levels: readonly Level[] = ['L1', 'L2', 'L3']

const logLine = /^( *)(DEBUG|INFO|WARN|ERROR|FATAL) (.*)$/
const detail = /^ *(>|Ready |<empty Ready>|Entries:|CommittedEntries:|Messages:|Processing:|Responses:|ReadStates |Snapshot|\]|\d+\/\d+ Entry|dropped: |(None|[0-9a-f]+|AppendThread|ApplyThread)->)/

/** The lines that count at `level`, in the form and order in which they are compared. */
export function comparable (text: string, level: Level, directive: { readonly command: string }): readonly string[] {
  const lines = text.replace(/\n$/, '').split('\n')
  if (level === 'L3') return withOk(lines.map(numbersOfLog))

  const withoutLog = lines.filter(line => !isLog(line))
  if (level === 'L2') return withOk(withoutLog).toSorted()
  const isListing = directive.command === 'raft-log' || directive.command === 'compact'
  return withOk(isListing ? withoutLog : withoutLog.filter(line => !detail.test(line)))
}

export function isSame (expected: readonly string[], actual: readonly string[]): boolean {
  return expected.length === actual.length && expected.every((line, at) => line === actual[at])
}

/** Both, line by line, with what is only in one of them marked. */
export function showDifference (expected: readonly string[], actual: readonly string[]): string {
  const shared = longestCommon(expected, actual)
  const lines: string[] = []
  let e = 0
  let a = 0
  for (const [nextE, nextA] of [...shared, [expected.length, actual.length] as const]) {
    while (e < nextE) lines.push(`- ${expected[e++]!}`)
    while (a < nextA) lines.push(`+ ${actual[a++]!}`)
    if (e < expected.length && a < actual.length) lines.push(`  ${expected[e]!}`)
    e++
    a++
  }
  return shortened(lines).map(line => line.replaceAll(traceMark, '')).join('\n')
}

function isLog (line: string): boolean {
  return line.trimStart().startsWith(traceMark) || logLine.test(line)
}

function numbersOfLog (line: string): string {
  const [, indent, level, words] = logLine.exec(line.replace(traceMark, '')) ?? []
  if (words === undefined) return line
  return `${indent!}${level!} … ${(words.match(/\d+/g) ?? []).join(' ')}`
}

function withOk (lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ['ok'] : lines
}

/** Pairs of positions at which both have the same line. Long texts are compared from both ends only. */
function longestCommon (a: readonly string[], b: readonly string[]): ReadonlyArray<readonly [number, number]> {
  if (a.length * b.length > 4_000_000) return []
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] = a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
    }
  }
  const pairs: Array<readonly [number, number]> = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++])
    else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++
    else j++
  }
  return pairs
}

const contextLines = 3

function shortened (lines: readonly string[]): readonly string[] {
  const isNear = lines.map((_, at) => lines.slice(Math.max(0, at - contextLines), at + contextLines + 1).some(line => !line.startsWith(' ')))
  return lines.flatMap((line, at) => isNear[at] === true ? [line] : isNear[at - 1] === true ? ['  …'] : [])
}
