import { ScriptError, wholeNumber } from './script.ts'
import type { ConfChangeErrorCode } from '../core/confchange.ts'
import type { ConfChangeSingle, ConfChangeType } from '../core/types.ts'

const letters: Readonly<Record<string, ConfChangeType>> = {
  v: 'ConfChangeAddNode', l: 'ConfChangeAddLearnerNode', r: 'ConfChangeRemoveNode', u: 'ConfChangeUpdateNode'
}

/** What scripts expect to read when a change is refused. */
export const refusalTexts: Readonly<Record<ConfChangeErrorCode, string>> = {
  'already-joint': 'config is already joint',
  'no-voters-to-join': "can't make a zero-voter config joint",
  'not-joint': "can't leave a non-joint config",
  'joint-needs-leaving': "can't apply simple config change in joint config",
  'several-voters': 'more than one voter changed without entering joint config',
  'no-voters-left': 'removed all voters',
  'too-many-members': 'too many members',
  inconsistent: 'inconsistent configuration'
}

/** `v1 l2 r3 u4`: voter, learner, removal, update. */
export function parseChanges (input: string): readonly ConfChangeSingle[] {
  const words = input.trim() === '' ? [] : input.trim().split(' ')
  return words.map(word => {
    if (word.length < 2) throw new ScriptError(`unknown token ${word}`)
    const type = letters[word[0]!]
    if (type === undefined) throw new ScriptError(`unknown input: ${word}`)
    return { type, nodeId: wholeNumber(word.slice(1)) }
  })
}
