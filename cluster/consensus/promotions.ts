import { ClusterError } from '../api/errors.ts'
import type { PeerId } from '../api/pin.ts'
import type { TrustRequest } from '../peer-ports.ts'
import type { AbortOptions } from '../ports.ts'
import type { Bookkeeping } from './raft/applier.ts'
import { DroppedError } from './raft/errors.ts'
import { mayWrite } from './raft/members.ts'
import type { Member } from './raft/members.ts'
import type { RaftNode } from './raft/raft-node.ts'

/** Which members vote and which only store; for the peer that leads. Who is trusted and who votes change in one entry, so that neither is ever without the other. */
export interface Promotions {
  /** A member that has caught up votes if it is trusted, and otherwise stores for good. */
  settle (peer: PeerId, options: AbortOptions): Promise<void>
  /** @throws ClusterError as `Membership.trust`; of the engine: NotLeaderError, DroppedError */
  trust (request: TrustRequest, options: AbortOptions): Promise<void>
  /** Whether it is already as asked for, as far as is known here. */
  isSo (request: TrustRequest): boolean
  /** Whether nobody else votes, though others are members. */
  isLastWriter (id: number): boolean
}

export function createPromotions (node: () => RaftNode): Promotions {
  const book = (): Bookkeeping => node().bookkeeping()
  const memberOf = (peer: PeerId): Member | undefined => book().members.find(({ name }) => name === peer)

  function isSo ({ peer, isTrusted }: TrustRequest): boolean {
    if (mayWrite(peer, book()) !== isTrusted) return false
    const known = memberOf(peer)
    return known === undefined || !isTrusted || known.storesOnly !== true
  }

  /** Decided on what is agreed on now; on what is agreed on then, if somebody else was first. */
  async function untilSettled (attempt: () => Promise<void>): Promise<void> {
    while (true) {
      try {
        return await attempt()
      } catch (err) {
        if (!(err instanceof DroppedError) || err.reason !== 'outdated') throw err
      }
    }
  }

  async function settleOnce (peer: PeerId, { signal }: AbortOptions): Promise<void> {
    const { conf, confIndex: ifConfIndex } = book()
    const member = memberOf(peer)
    if (member === undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', `${peer} is not a member of this cluster`)
    if (conf.voters.includes(member.id) || (member.storesOnly === true && !mayWrite(peer, book()))) return
    const { membership } = node()
    if (mayWrite(peer, book())) {
      await membership.promote(member.id, { signal, ifConfIndex, noted: { members: [asVoter(member)] } })
    } else {
      await membership.caughtUp(member.id, { signal })
      await membership.amend({ ...member, storesOnly: true }, { signal, ifConfIndex })
    }
  }

  async function trustOnce (peer: PeerId, { signal }: AbortOptions): Promise<void> {
    const { trusted, confIndex: ifConfIndex } = book()
    if (trusted === undefined || isSo({ peer, isTrusted: true })) return
    const member = memberOf(peer)
    const noted = { trusted: [...new Set([...trusted, peer])] }
    if (member === undefined) await node().membership.note(noted, { signal, ifConfIndex })
    else await node().membership.promote(member.id, { signal, ifConfIndex, noted: { ...noted, members: [asVoter(member)] } })
  }

  async function untrustOnce (peer: PeerId, { signal }: AbortOptions): Promise<void> {
    const { trusted, conf, members, confIndex: ifConfIndex } = book()
    const member = memberOf(peer)
    if (trusted === undefined && member === undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', `${peer} is not a member of this cluster, all of which may change the pinset`)
    if (isSo({ peer, isTrusted: false })) return
    const isVoter = member !== undefined && conf.voters.includes(member.id)
    if (!conf.voters.some(id => id !== member?.id)) throw new ClusterError('ERR_INVALID_ARGUMENT', `${peer} is the only peer that may change the pinset: trust another one first`)
    const voters = members.filter(({ id }) => conf.voters.includes(id))
    const noted = { trusted: [...new Set([...trusted ?? [], ...(trusted === undefined ? members : voters).map(({ name }) => name)])].filter(name => name !== peer) }
    const { membership } = node()
    if (isVoter) await membership.demote(member.id, { signal, ifConfIndex, noted: { ...noted, members: [{ ...member, storesOnly: true }] } })
    else await membership.note(noted, { signal, ifConfIndex })
  }

  return {
    isSo,
    isLastWriter: id => book().conf.voters.every(voter => voter === id) && book().members.length > 1,
    async settle (peer, options) { await untilSettled(async () => await settleOnce(peer, options)) },
    async trust ({ peer, isTrusted }, options) {
      await untilSettled(async () => isTrusted ? await trustOnce(peer, options) : await untrustOnce(peer, options))
    }
  }
}

function asVoter ({ storesOnly: _, ...member }: Member): Member { return member }
