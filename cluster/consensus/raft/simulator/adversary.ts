import { message } from '../core/message.ts'
import { lastIndexOf, termAt } from './log-image.ts'
import { membersOf } from './spec-membership.ts'
import type { World } from './world.ts'
import type { SimPeer } from './peer.ts'
import type { Message, NodeId, Status } from '../core/types.ts'

/**
 * Messages that Raft allows and this engine never sends: any range of the leader's log, an empty append that
 * carries a high commit index, a snapshot nobody needs, words of a leader long gone. Peers of another version,
 * or the next refactoring, may send them; a follower that is only right with its own leader is wrong.
 */
export function interfere (world: World): void {
  const { random, network, settings, peers } = world
  if (!random.chance(settings.adversary)) return
  if (random.chance(0.3)) {
    const old = network.echo()
    if (old !== undefined) hand(world, old.from, old.message)
    return
  }
  const leader = peers.find(peer => canSpeakFor(peer))
  if (leader === undefined) return
  leader.alive(core => {
    const status = core.status()
    const others = membersOf(status.conf).filter(id => id !== leader.id)
    if (others.length > 0) hand(world, leader.id, drawn(world, leader, status, random.pick(others)))
  })
}

/** Only what is surely in its log may be said in a leader's name: nothing of it may still wait to be written. */
function canSpeakFor (peer: SimPeer): boolean {
  if (!peer.isUp || peer.isPaused || peer.disk.unsyncedRecords > 0) return false
  const { role, term, unstableEntries } = peer.core.status()
  return role === 'leader' && unstableEntries === 0 && peer.disk.durable.hard.term === term
}

function drawn ({ random }: World, { id, disk: { durable } }: SimPeer, { term, commit, progress }: Status, to: NodeId): Message {
  const sender = { from: id, to, term }
  const kind = random.below(5)
  if (kind === 0) return message('MsgSnap', { ...sender, snapshot: durable.snapshot })
  if (kind === 1) {
    const match = progress.find(({ id }) => id === to)?.match ?? 0
    return message('MsgHeartbeat', { ...sender, commit: random.below(Math.min(match, commit) + 1) })
  }
  const last = lastIndexOf(durable)
  const index = random.between(durable.base, last)
  const entries = kind === 2 ? [] : durable.entries.slice(index - durable.base, index - durable.base + random.below(4))
  return message('MsgApp', { ...sender, index, logTerm: termAt(durable, index) ?? 0, entries, commit })
}

/** Straight into the receiver: the network's weather is for the others. */
function hand (world: World, from: NodeId, said: Message): void {
  if (!world.network.isOpen(from, said.to)) return
  world.trace.add(7, from, said.to, said.term, said.index)
  world.peers[said.to - 1]?.receive(said)
}
