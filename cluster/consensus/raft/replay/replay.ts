import { comparable, isSame, showDifference } from './compare.ts'
import type { Level } from './compare.ts'
import { confChangeCommands, createConfChangeRunner } from './confchange-script.ts'
import { createInteractionRunner, interactionCommands } from './interaction-script.ts'
import { quorumCommands, runQuorumDirective } from './quorum-script.ts'
import { parseScript, ScriptError } from './script.ts'
import type { Directive } from './script.ts'

export type ScriptKind = 'interaction' | 'confchange' | 'quorum'

export interface Failure {
  readonly line: number
  readonly command: string
  /** What differs, or what went wrong. */
  readonly detail: string
}

export interface ReplayResult {
  readonly kind: ScriptKind
  readonly directives: number
  readonly failures: readonly Failure[]
}

/** Undefined for a text that is no script: none of its commands is known. */
export function scriptKind (directives: readonly Directive[]): ScriptKind | undefined {
  const isKnown = (commands: ReadonlySet<string>): boolean => directives.some(({ command }) => commands.has(command))
  if (isKnown(quorumCommands)) return 'quorum'
  if (isKnown(confChangeCommands)) return 'confchange'
  return isKnown(interactionCommands) ? 'interaction' : undefined
}

/** Runs a script from its beginning to its end, also past directives that fail. Undefined for a text that is none. */
export function replay (text: string, level: Level): ReplayResult | undefined {
  const directives = parsed(text)
  const kind = scriptKind(directives)
  if (kind === undefined) return undefined

  const run = createRunner(kind)
  const failures = directives.flatMap(directive => {
    const detail = check(run, directive, level)
    return detail === undefined ? [] : [{ line: directive.line, command: directive.command, detail }]
  })
  return { kind, directives: directives.length, failures }
}

/** A text without a single separator asks nothing, whatever else is wrong with it as a script. */
function parsed (text: string): readonly Directive[] {
  try {
    return parseScript(text)
  } catch (error) {
    if (error instanceof ScriptError && !/^----$/m.test(text)) return []
    throw error
  }
}

function createRunner (kind: ScriptKind): (directive: Directive) => string {
  switch (kind) {
    case 'interaction': return createInteractionRunner()
    case 'confchange': return createConfChangeRunner()
    case 'quorum': return runQuorumDirective
  }
}

function check (run: (directive: Directive) => string, directive: Directive, level: Level): string | undefined {
  // Only groups what follows.
  if (directive.command === 'subtest') return undefined
  let answer: string
  try {
    answer = run(directive)
  } catch (error) {
    return `stopped: ${error instanceof Error ? error.stack ?? error.message : String(error)}`
  }
  const expected = comparable(directive.expected, level, directive)
  const actual = comparable(answer, level, directive)
  return isSame(expected, actual) ? undefined : showDifference(expected, actual)
}
