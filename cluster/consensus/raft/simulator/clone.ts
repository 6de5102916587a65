import type { ConfState, Entry, Message, Snapshot } from '../core/types.ts'

/**
 * A message as another process would get it: nothing of the sender's memory is in it, and nothing in it can be
 * changed. Peers that share objects pass tests that real ones fail, and the other way round.
 */
export function cloneMessage (message: Message): Message {
  const { entries, snapshot, responses } = message
  return Object.freeze({
    ...message,
    entries: entries.length === 0 ? entries : Object.freeze(entries.map(cloneEntry)),
    snapshot: snapshot === undefined ? undefined : cloneSnapshot(snapshot),
    responses: responses.length === 0 ? responses : Object.freeze(responses.map(cloneMessage))
  })
}

export function cloneEntry ({ term, index, type, data }: Entry): Entry {
  return Object.freeze({ term, index, type, data: data.slice() })
}

export function cloneSnapshot ({ meta, data }: Snapshot): Snapshot {
  const confState = cloneConf(meta.confState)
  return Object.freeze({ meta: Object.freeze({ index: meta.index, term: meta.term, confState }), data: data.slice() })
}

export function cloneConf ({ voters, votersOutgoing, learners, learnersNext, autoLeave }: ConfState): ConfState {
  return Object.freeze({
    voters: Object.freeze([...voters]),
    votersOutgoing: Object.freeze([...votersOutgoing]),
    learners: Object.freeze([...learners]),
    learnersNext: Object.freeze([...learnersNext]),
    autoLeave
  })
}
