import { clientsMax, decodeCommand, encodeCommand } from './machine.ts'
import { require } from './violation.ts'
import type { World } from './world.ts'
import type { SimPeer } from './peer.ts'
import type { Entry, Index, NodeId } from '../core/types.ts'

/** What asks things of the peers: writers with a session, writers without, readers. */
export interface Clients {
  /** One tick's worth of asking. */
  ask: () => void
  /** A write that some peer will answer, for the time after the storm. */
  mark: (peer: SimPeer) => void
  /** A read that some peer will answer, likewise. */
  markRead: (peer: SimPeer) => void
  /** Whether a marked write, and a marked read, have been answered. */
  readonly isMarked: boolean
  readonly isReadMarked: boolean
  readonly writes: number
  readonly acknowledged: number
  /** The highest index of which a client was told that it is done. */
  readonly acknowledgedIndex: Index
}

interface Session {
  sequence: number
  /** The peer that was asked last and has not answered. */
  askedAt: NodeId | undefined
}

export function createClients (world: World): Clients {
  const { settings, random, spec, peers } = world
  const sessions: Session[] = Array.from({ length: clientsMax }, () => ({ sequence: 0, askedAt: undefined }))
  const waiting = new Map<number, NodeId>()
  const marks = new Set<number>()
  let firstMarkedRead = Infinity
  let anonymous = 0
  let reads = 0
  let acknowledgedIndex: Index = 0
  const counts = { acknowledged: 0, isMarked: false }

  const propose = (peer: SimPeer, client: number, sequence: number): void => {
    const data = encodeCommand({ client, sequence }, random.below(settings.payloadMost + 1))
    peer.alive(core => { core.propose([{ type: 'EntryNormal', data }]) })
  }
  const proposeAnonymously = (peer: SimPeer): number => {
    const sequence = ++anonymous
    waiting.set(sequence, peer.id)
    propose(peer, clientsMax, sequence)
    return sequence
  }
  const proposeInSession = (client: number): void => {
    const session = sessions[client] as Session
    const peer = random.pick(peers)
    if (session.askedAt !== undefined && !random.chance(settings.retries)) return
    if (session.askedAt === undefined) session.sequence++
    session.askedAt = peer.id // a retry may go to another peer; the operation is the same
    propose(peer, client, session.sequence)
  }

  const read = (peer: SimPeer): void => {
    const context = ++reads
    peer.alive(core => {
      spec.readAsked(context)
      core.readIndex(context)
    })
  }

  world.onApplied = (id: NodeId, entry: Entry) => {
    const command = entry.type === 'EntryNormal' ? decodeCommand(entry.data) : undefined
    if (command === undefined) return
    const { client, sequence } = command
    const session = sessions[client]
    const isAnswer = session === undefined ? waiting.get(sequence) === id : session.askedAt === id && session.sequence === sequence
    if (!isAnswer) return
    if (session === undefined) waiting.delete(sequence)
    else session.askedAt = undefined
    counts.acknowledged++
    counts.isMarked ||= session === undefined && marks.has(sequence)
    acknowledgedIndex = Math.max(acknowledgedIndex, entry.index)
    require(entry.index <= spec.commit, 'nothing-acknowledged-lost', () => `an operation at ${entry.index} was answered; ${spec.commit} is committed`)
  }

  return {
    ask: () => {
      for (let rate = settings.proposals; rate > 0; rate--) {
        if (!random.chance(rate)) continue
        if (random.chance(0.3)) proposeInSession(random.below(clientsMax))
        else proposeAnonymously(random.pick(peers))
      }
      if (random.chance(settings.reads)) read(random.pick(peers))
    },
    mark: peer => { marks.add(proposeAnonymously(peer)) },
    markRead: peer => {
      firstMarkedRead = Math.min(firstMarkedRead, reads + 1)
      read(peer)
    },
    get isReadMarked () { return spec.lastReadAnswered >= firstMarkedRead },
    get isMarked () { return counts.isMarked },
    get writes () { return anonymous + sessions.reduce((sum, { sequence }) => sum + sequence, 0) },
    get acknowledged () { return counts.acknowledged },
    get acknowledgedIndex () { return acknowledgedIndex }
  }
}
