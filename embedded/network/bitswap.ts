/**
 * Bitswap 1.2 between this daemon and its peers: what is wanted is asked for, what is asked for is given. Connections are brought to it
 * by the host, so it can be tried without one.
 *
 * It is ours because `@helia/bitswap` 4.0.19 has no bounds: asked for 512 blocks of 1 MiB it read all of them before it sent the first
 * (1.3 GB), what it is sent it takes in without ever waiting, and each message costs a stream. Nor does it give itself out without Helia.
 */
import type { CID } from 'multiformats/cid'
import { createBackground } from '../../cluster/async/background.ts'
import type { Clock } from '../../cluster/clock.ts'
import type { Logger } from '../../cluster/log.ts'
import { blockBytesMax } from '../dag/block-size.ts'
import { bytesKey, multihashKey } from '../dag/block-service.ts'
import type { Exchange } from '../dag/block-service.ts'
import type { BlockStore } from '../store/stores.ts'
import { multihashOf } from './bitswap-message.ts'
import type { BitswapMessage, SentBlock, WantEntry } from './bitswap-message.ts'
import { createLedger } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import { createWants } from './wants.ts'

/** Blocks that nobody wanted, after which their sender is sent away. */
const wrongBlocksMax = 8

/** A way to one peer. */
export interface PeerLink {
  /** Resolves when the peer can be sent more. Rejects when it cannot be reached. */
  send (message: BitswapMessage): Promise<void>
  /** Ends the connection. */
  close (why: string): void
}

export interface BitswapStat { readonly blocksReceived: number, readonly dataReceived: number, readonly duplicateBlocks: number, readonly duplicateData: number, readonly messagesReceived: number, readonly blocksSent: number, readonly dataSent: number }

export interface LedgerStat { readonly sentBytes: number, readonly receivedBytes: number, readonly exchanges: number }

export interface Bitswap extends Exchange, AsyncDisposable {
  connected (peer: string, link: PeerLink): void
  disconnected (peer: string): void
  received (peer: string, message: BitswapMessage): void
  stat (): BitswapStat
  /** Peers that want something of this daemon. */
  partners (): readonly string[]
  /** What this daemon wants, or what `peer` wants of it. */
  wants (peer?: string): readonly CID[]
  ledger (peer: string): LedgerStat
}

interface Partner {
  readonly link: PeerLink
  readonly ledger: Ledger
  /** Lines of our want list that it has not been sent yet; the last word on a block counts. */
  readonly unsent: Map<string, WantEntry>
  readonly counted: { -readonly [K in keyof LedgerStat]: LedgerStat[K] }
  isSending: boolean
  wrongBlocks: number
}

export function createBitswap ({ store, clock, log }: { readonly store: Pick<BlockStore, 'get' | 'lengthOf'>, readonly clock: Clock, readonly log: Logger }): Bitswap {
  const partners = new Map<string, Partner>()
  const background = createBackground(err => { log.debug('a peer cannot be sent to', { err }) })
  const counted = { blocksReceived: 0, dataReceived: 0, duplicateBlocks: 0, duplicateData: 0, messagesReceived: 0, blocksSent: 0, dataSent: 0 }
  const wants = createWants({
    clock,
    tell (peer, entry) {
      const partner = partners.get(peer)
      if (partner === undefined) return
      partner.unsent.set(multihashKey(entry.cid), entry)
      wake(peer, partner)
    }
  })

  const wake = (peer: string, partner: Partner): void => {
    if (partner.isSending) return
    partner.isSending = true
    background.run(pump(peer, partner))
  }
  /** One message after another, as fast as the peer takes them. What is decided in one turn goes out together. */
  const pump = async (peer: string, partner: Partner): Promise<void> => {
    try {
      await Promise.resolve()
      while (partners.get(peer) === partner) {
        const message = { entries: [...partner.unsent.values()], isFull: false, ...partner.ledger.next() }
        partner.unsent.clear()
        if (message.entries.length + message.blocks.length + message.presences.length === 0) return
        await partner.link.send(message)
        countSent(partner, message.blocks)
      }
    } catch (err) {
      partner.link.close('a message could not be sent')
      if (partners.get(peer) === partner) forget(peer)
      throw err
    } finally {
      partner.isSending = false
    }
  }
  const forget = (peer: string): void => {
    if (partners.delete(peer)) wants.wentAway(peer)
  }
  const countSent = (partner: Partner, blocks: readonly SentBlock[]): void => {
    for (const { bytes } of blocks) {
      counted.blocksSent++
      counted.dataSent += bytes.length
      partner.counted.sentBytes += bytes.length
      partner.counted.exchanges++
    }
  }
  const takeBlock = (peer: string, partner: Partner, block: SentBlock): void => {
    const { bytes } = block
    counted.blocksReceived++
    counted.dataReceived += bytes.length
    partner.counted.receivedBytes += bytes.length
    partner.counted.exchanges++
    const multihash = bytes.length > blockBytesMax ? undefined : multihashOf(block)
    const wanted = multihash === undefined ? 'wrong' : wants.arrived(peer, bytesKey(multihash))
    if (typeof wanted === 'function') {
      background.run(wanted(Uint8Array.from(bytes)))
    } else if (wanted === 'late') {
      counted.duplicateBlocks++
      counted.duplicateData += bytes.length
    } else if (++partner.wrongBlocks >= wrongBlocksMax) {
      log.info('a peer sends blocks that it was not asked for: it is sent away', { peer })
      partner.link.close('blocks that nobody asked for')
    }
  }

  return {
    want: wants.add,
    unwant: wants.remove,
    announce (cid) {
      const key = multihashKey(cid)
      for (const [peer, partner] of partners) if (partner.ledger.appeared(key)) wake(peer, partner)
    },
    connected (peer, link) {
      if (partners.has(peer)) return
      partners.set(peer, { link, ledger: createLedger(store), unsent: new Map(), counted: { sentBytes: 0, receivedBytes: 0, exchanges: 0 }, isSending: false, wrongBlocks: 0 })
      wants.cameTo(peer)
    },
    disconnected: forget,
    received (peer, { entries, isFull, blocks, presences }) {
      const partner = partners.get(peer)
      if (partner === undefined) return
      counted.messagesReceived++
      for (const block of blocks) takeBlock(peer, partner, block)
      for (const { cid, has } of presences) wants.answered(peer, cid, has)
      partner.ledger.apply(entries, isFull)
      wake(peer, partner)
    },
    stat: () => ({ ...counted }),
    partners: () => [...partners].filter(([, { ledger }]) => ledger.wants().length > 0).map(([peer]) => peer),
    wants: peer => peer === undefined ? wants.list() : partners.get(peer)?.ledger.wants() ?? [],
    ledger: peer => ({ ...partners.get(peer)?.counted ?? { sentBytes: 0, receivedBytes: 0, exchanges: 0 } }),
    async [Symbol.asyncDispose] () {
      wants[Symbol.dispose]()
      partners.clear()
      await background[Symbol.asyncDispose]()
    }
  }
}
