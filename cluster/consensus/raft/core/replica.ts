import { assert } from './assert.ts'
import { restoreMembershipOf } from './membership.ts'
import { send } from './outbox.ts'
import { hex } from './state.ts'
import type { RaftState } from './state.ts'
import type { Message, Snapshot } from './types.ts'

/** What a peer does with the leader's messages, once it has recognised the leader. */
export function takeAppend (raft: RaftState, m: Message): void {
  const { log } = raft
  assert(raft.role === 'follower', 'only a follower is appended to')
  if (m.index < log.committed) {
    send(raft, 'MsgAppResp', { to: m.from, index: log.committed })
    return
  }
  const lastNew = log.tryAppend(m.index, m.logTerm, m.entries, m.commit)
  if (lastNew !== undefined) {
    assert(log.committed <= log.lastIndex(), 'only what is held is committed', log.committed, log.lastIndex())
    send(raft, 'MsgAppResp', { to: m.from, index: lastNew })
    return
  }
  raft.trace?.('debug', 'append does not fit', [
    hex(raft.id), log.term(m.index) ?? 0, m.index, m.logTerm, m.index, hex(m.from)
  ])
  // Everything of ours with a later term than the leader had there is certain to disagree: one hint skips it all.
  const hint = log.findConflictByTerm(Math.min(m.index, log.lastIndex()), m.logTerm)
  send(raft, 'MsgAppResp', { to: m.from, index: m.index, reject: true, rejectHint: hint.index, logTerm: hint.term })
}

export function takeHeartbeat (raft: RaftState, m: Message): void {
  assert(raft.role === 'follower', 'only a follower is told the commit index')
  raft.log.commitTo(m.commit)
  send(raft, 'MsgHeartbeatResp', { to: m.from, context: m.context })
}

export function takeSnapshot (raft: RaftState, m: Message): void {
  const { snapshot } = m
  assert(snapshot !== undefined, 'a snapshot message has one')
  const { index, term } = snapshot.meta
  const isRestored = restore(raft, snapshot)
  raft.trace?.('info', isRestored ? 'snapshot restored' : 'snapshot ignored', [hex(raft.id), raft.log.committed, index, term])
  send(raft, 'MsgAppResp', { to: m.from, index: isRestored ? raft.log.lastIndex() : raft.log.committed })
}

/**
 * False if it brings nothing: it is old, or our log holds it already. A membership without us is taken as well: the
 * change that adds us may be in the log after it, and one who was removed learns it so; until then we do not stand for election.
 */
function restore (raft: RaftState, snapshot: Snapshot): boolean {
  const { log, trace } = raft
  const { index, term, confState: conf } = snapshot.meta
  if (index <= log.committed) return false
  assert(raft.role === 'follower', 'only a follower is given a snapshot')
  if (raft.config.asEtcd && ![conf.voters, conf.learners, conf.votersOutgoing].some(ids => ids.includes(raft.id))) {
    trace?.('warn', 'snapshot of a group without us', [
      hex(raft.id), ...conf.voters, ...conf.learners, ...conf.votersOutgoing, ...conf.learnersNext
    ])
    return false
  }
  if (log.matches(index, term)) {
    const last = log.lastId()
    trace?.('info', 'log holds the snapshot', [hex(raft.id), log.committed, last.index, last.term, index, term])
    log.commitTo(index)
    return false
  }

  log.restore(snapshot)
  // Ours comes into force when the snapshot is installed: entries handed out before may still be applied meanwhile.
  if (raft.config.asEtcd) restoreMembershipOf(raft, conf)
  const last = log.lastId()
  assert(last.index === index && last.term === term, 'the log ends with its snapshot', last.index, index)
  trace?.('info', 'log starts from the snapshot', [hex(raft.id), log.committed, last.index, last.term, index, term])
  return true
}
