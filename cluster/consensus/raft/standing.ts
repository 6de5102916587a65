/** Peers that write and peers that only store: what the latter may say on Raft's lanes, whatever they are made to send. */
import type { Message, MessageType, Term } from './core/types.ts'

/** Who is what, as far as this peer knows. */
export interface Standing {
  mayWrite (name: string): boolean
  /** A peer speaks as only one that may write does. It may have become one without this peer having heard of it: whoever can find that out does, and it is tried again. */
  doubt (name: string): void
}

/** Answers to a leader, and the question how far the log is committed. All else is of peers that decide, or of this peer itself. */
const ofStorers: ReadonlySet<MessageType> = new Set(['MsgAppResp', 'MsgHeartbeatResp', 'MsgReadIndex'])

/**
 * Whether a message of a peer that only stores counts. One of a later term would unseat a leader; a true one is no news, for whoever made it later
 * has told those that decide.
 */
export function isOfStorer ({ type, term }: Message, ownTerm: Term): boolean {
  return ofStorers.has(type) && term <= ownTerm
}
