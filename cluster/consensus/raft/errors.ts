/** How a proposal or a read ends that does not succeed. Each says what the caller may conclude about its effect. */
import type { ConfChangeRefusal, DropReason, NodeId } from './core/types.ts'

/** Nothing happened: it was not taken in anywhere. */
export class DroppedError extends Error {
  readonly code = 'ERR_RAFT_DROPPED'
  readonly reason: DropReason | ConfChangeRefusal | 'overloaded' | 'outdated' | 'overwritten'
  constructor (reason: DroppedError['reason']) {
    super(`the proposal was dropped: ${reason}`)
    this.reason = reason
  }

  override get name (): string { return 'DroppedError' }
}

/** Nothing happened: it has to be asked of `leader`, if one is known. */
export class NotLeaderError extends Error {
  readonly code = 'ERR_RAFT_NOT_LEADER'
  readonly leader: NodeId | undefined
  constructor (leader: NodeId | undefined) {
    super(leader === undefined ? 'no leader is known' : `node ${leader} leads`)
    this.leader = leader
  }

  override get name (): string { return 'NotLeaderError' }
}

/** It may happen yet, once. Repeating it with the same session and number tells, and never makes it happen twice. */
export class UnknownOutcomeError extends Error {
  readonly code = 'ERR_RAFT_UNKNOWN_OUTCOME'
  readonly session: number
  readonly sequence: number
  constructor (session: number, sequence: number, options?: ErrorOptions) {
    super(`whether request ${sequence} of session ${session} is carried out is not known yet`, options)
    this.session = session
    this.sequence = sequence
  }

  override get name (): string { return 'UnknownOutcomeError' }
}

/** The session is unknown or has forgotten this request: it was not applied now; whether it was earlier cannot be told. */
export class SessionExpiredError extends Error {
  readonly code = 'ERR_RAFT_SESSION_EXPIRED'
  constructor (session: number) { super(`session ${session} has expired`) }
  override get name (): string { return 'SessionExpiredError' }
}

/** This peer is being stopped. */
export class StoppedError extends Error {
  readonly code = 'ERR_RAFT_STOPPED'
  constructor () { super('this peer has stopped') }
  override get name (): string { return 'StoppedError' }
}

/** This peer must not go on: its state, its log or its program is not what the others have. */
export class FatalError extends Error {
  readonly code = 'ERR_RAFT_FATAL'
  override get name (): string { return 'FatalError' }
}
