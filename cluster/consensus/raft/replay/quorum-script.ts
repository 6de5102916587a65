import { describeAcks, describeIndex } from '../core/describe.ts'
import { jointCommittedIndex, jointIds, jointVoteResult } from '../core/joint.ts'
import type { JointVoters } from '../core/joint.ts'
import { committedIndex } from '../core/quorum.ts'
import type { VoteResult } from '../core/quorum.ts'
import type { Index, NodeId } from '../core/types.ts'
import { ScriptError, wholeNumber } from './script.ts'
import type { Directive } from './script.ts'

export const quorumCommands: ReadonlySet<string> = new Set(['committed', 'vote'])

const resultNames: Readonly<Record<VoteResult, string>> = { won: 'VoteWon', lost: 'VoteLost', pending: 'VotePending' }
const none = 0

interface Question {
  readonly voters: JointVoters
  readonly isJoint: boolean
  /** Acknowledged indexes, or votes as 1 (no) and 2 (yes). */
  readonly known: ReadonlyMap<NodeId, number>
}

/** Runs one directive of a quorum script; what other ways of asking answer differently is printed too. */
export function runQuorumDirective (directive: Directive): string {
  const { voters, known, isJoint, given } = parse(directive)
  const ids = jointIds(voters)
  if (ids.length !== given.length) {
    const set = `map[${ids.map(id => `${id}:{}`).join(' ')}]`
    return `error: mismatched input (explicit or _) for voters ${set}: [${given.join(' ')}]`
  }
  switch (directive.command) {
    case 'committed': return committed({ voters, known, isJoint })
    case 'vote': return vote({ voters, known, isJoint })
    default: throw new ScriptError(`unknown command: ${directive.command}`)
  }
}

function committed ({ voters, known, isJoint }: Question): string {
  const acked = (id: NodeId): Index | undefined => known.get(id)
  const index = jointCommittedIndex(voters, acked)
  const others = isJoint
    ? [['symmetry', jointCommittedIndex(swapped(voters), acked)] as const]
    : [
        ['alternative computation', bruteForce(voters.incoming, known)] as const,
        ['zero-joint quorum', committedIndex(voters.incoming, acked)] as const,
        ['self-joint quorum', jointCommittedIndex({ incoming: voters.incoming, outgoing: voters.incoming }, acked)] as const,
        ...overlays(voters.incoming, known, index)
      ]
  const differing = others.filter(([, other]) => other !== index).map(([how, other]) => `${describeIndex(other)} <-- via ${how}\n`)
  return `${describeAcks(voters, acked)}${differing.join('')}${describeIndex(index)}\n`
}

function vote ({ voters, known }: Question): string {
  const cast = (id: NodeId): boolean | undefined => known.has(id) ? known.get(id) !== 1 : undefined
  const result = jointVoteResult(voters, cast)
  const mirrored = jointVoteResult(swapped(voters), cast)
  return `${mirrored === result ? '' : `${resultNames[mirrored]} <-- via symmetry\n`}${resultNames[result]}\n`
}

/** Lowering what is above the result anyway changes nothing. */
function overlays (voters: readonly NodeId[], known: ReadonlyMap<NodeId, number>, index: Index): ReadonlyArray<readonly [string, Index]> {
  return voters.flatMap(id => {
    const held = known.get(id) ?? 0
    if (held === 0 || held >= index) return []
    return [held - 1, 0].map(lower => {
      const changed = new Map(known).set(id, lower)
      return [`overlaying ${id}->${lower}`, committedIndex(voters, voter => changed.get(voter))] as const
    })
  })
}

/** The largest index that more than half have reached, found by trying each. */
function bruteForce (voters: readonly NodeId[], known: ReadonlyMap<NodeId, number>): Index {
  if (voters.length === 0) return Infinity
  const reached = (index: Index): number => voters.filter(id => (known.get(id) ?? 0) >= index).length
  return Math.max(0, ...[...known.values()].filter(index => reached(index) * 2 > voters.length))
}

function swapped ({ incoming, outgoing }: JointVoters): JointVoters {
  return { incoming: outgoing, outgoing: incoming }
}

function parse ({ command, args }: Directive): Question & { readonly given: readonly number[] } {
  const incoming: NodeId[] = []
  const outgoing: NodeId[] = []
  const indexes: number[] = []
  const votes: number[] = []
  let isJoint = false
  for (const { key, values } of args) {
    for (const value of values) {
      switch (key) {
        case 'cfg': incoming.push(wholeNumber(value)); break
        case 'cfgj': isJoint = true; if (value !== 'zero') outgoing.push(wholeNumber(value)); break
        case 'idx': indexes.push(value === '_' ? none : wholeNumber(value)); break
        case 'votes': votes.push(parseVote(value)); break
        default: throw new ScriptError(`unknown arg ${key}`)
      }
    }
  }
  const given = command === 'vote' ? votes : indexes
  const asked = [...new Set([...incoming, ...outgoing])]
  const known = new Map(asked.map((id, at) => [id, given[at] ?? none] as const).filter(([, value]) => value !== none))
  return { voters: { incoming: ascending(incoming), outgoing: ascending(outgoing) }, isJoint, known, given }
}

function parseVote (value: string): number {
  const vote = { y: 2, n: 1, _: none }[value]
  if (vote === undefined) throw new ScriptError(`unknown vote: ${value}`)
  return vote
}

function ascending (ids: readonly NodeId[]): readonly NodeId[] {
  return [...new Set(ids)].sort((a, b) => a - b)
}
