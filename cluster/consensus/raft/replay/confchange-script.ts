import { changeSimply, ConfChangeError, enterJoint, leaveJoint } from '../core/confchange.ts'
import type { ConfChangeBase, ConfChangeOutcome } from '../core/confchange.ts'
import { describeMembership, describeProgress } from '../core/describe.ts'
import { defaultLimits } from '../core/limits.ts'
import { emptyMembership } from '../core/tracker.ts'
import { parseChanges, refusalTexts } from './conf-words.ts'
import { ScriptError, truth } from './script.ts'
import type { Directive } from './script.ts'

export const confChangeCommands: ReadonlySet<string> = new Set(['simple', 'enter-joint', 'leave-joint'])

/** Runs scripts that change one membership step by step; answers each directive with what it became. */
export function createConfChangeRunner (): (directive: Directive) => string {
  const limits = { ...defaultLimits, inflightMessagesMax: 10, inflightBytesMax: Infinity }
  let outcome: ConfChangeOutcome = { membership: emptyMembership, progress: new Map() }
  let lastIndex = 0

  return directive => {
    try {
      outcome = change({ ...outcome, lastIndex, limits }, directive)
    } catch (error) {
      if (error instanceof ConfChangeError) return `${refusalTexts[error.code]}\n`
      if (error instanceof ScriptError) return `${error.message}\n`
      throw error
    } finally {
      lastIndex++
    }
    return describe(outcome)
  }
}

function change (base: ConfChangeBase, { command, args, input }: Directive): ConfChangeOutcome {
  const changes = parseChanges(input)
  switch (command) {
    case 'simple': return changeSimply(base, changes)
    case 'enter-joint': {
      const autoLeave = args.find(({ key }) => key === 'autoleave')?.values[0] ?? 'false'
      return enterJoint(base, truth(autoLeave), changes)
    }
    case 'leave-joint':
      if (changes.length > 0) throw new ScriptError('this command takes no input')
      return leaveJoint(base)
    default: throw new ScriptError('unknown command')
  }
}

function describe ({ membership, progress }: ConfChangeOutcome): string {
  const members = [...progress.values()].sort((a, b) => a.id - b.id)
  return `${describeMembership(membership)}\n${members.map(member => `${member.id}: ${describeProgress(member)}\n`).join('')}`
}
