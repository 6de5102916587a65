/** Everything that could grow has its bound here. Bytes of entries are counted as `entryBytes` does. */
export interface RaftLimits {
  /** Entries of one MsgApp; a larger single entry goes alone. 0: one entry a message. */
  readonly messageBytesMax: number
  /** Entries handed out to be applied and not yet applied. 0: as `messageBytesMax`. */
  readonly applyingBytesMax: number
  /** Payload of the leader's entries that are not applied; further proposals are dropped. Empty ones always pass. */
  readonly uncommittedBytesMax: number
  /** MsgApp on their way to one peer. */
  readonly inflightMessagesMax: number
  readonly inflightBytesMax: number
  /** Payload of one proposed entry. */
  readonly entryBytesMax: number
  /** Reads that wait for confirmation, or for the leader's first commit; further ones are dropped. */
  readonly pendingReadsMax: number
  /** Voters of either half of the membership. */
  readonly votersMax: number
  readonly learnersMax: number
}

export const defaultLimits: RaftLimits = {
  messageBytesMax: 256 * 1024,
  applyingBytesMax: 4 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  inflightMessagesMax: 64,
  inflightBytesMax: 4 * 1024 * 1024,
  entryBytesMax: 8 * 1024 * 1024,
  pendingReadsMax: 65_536,
  votersMax: 127,
  learnersMax: 1_024
}

/** Terms and indexes stay exactly representable, with room for one more. A peer at the limit does not stand for election. */
export const termMax = Number.MAX_SAFE_INTEGER - 1
export const indexMax = Number.MAX_SAFE_INTEGER - 1
export const nodeIdMax = 2 ** 48 - 1
/** Election timeouts that a peer may be made to wait for others to stand before it. */
export const priorityMax = 8
