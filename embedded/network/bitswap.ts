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
import type { BitswapMessage, SentBlock } from './bitswap-message.ts'
import { createLedger } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import { createOutbox } from './outbox.ts'
import type { Outbox, PeerLink } from './outbox.ts'
import { createWants } from './wants.ts'

/** Blocks that nobody wanted, after which their sender is sent away. */
const wrongBlocksMax = 8

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
  readonly outbox: Outbox
  readonly counted: { -readonly [K in keyof LedgerStat]: LedgerStat[K] }
  wrongBlocks: number
}

export function createBitswap ({ store, clock, log }: { readonly store: Pick<BlockStore, 'get' | 'lengthOf'>, readonly clock: Clock, readonly log: Logger }): Bitswap {
  const partners = new Map<string, Partner>()
  const background = createBackground(err => { log.debug('a peer cannot be sent to', { err }) })
  const counted = { blocksReceived: 0, dataReceived: 0, duplicateBlocks: 0, duplicateData: 0, messagesReceived: 0, blocksSent: 0, dataSent: 0 }
  const wants = createWants({ clock, tell (peer, entry) { partners.get(peer)?.outbox.tell(entry) } })

  const forget = (peer: string): void => {
    const partner = partners.get(peer)
    if (partner === undefined) return
    partner.outbox.end()
    partners.delete(peer)
    wants.wentAway(peer)
  }
  const createPartner = (peer: string, link: PeerLink): Partner => {
    const ledger = createLedger(store)
    const ofPeer = { sentBytes: 0, receivedBytes: 0, exchanges: 0 }
    const onSent = (blocks: readonly SentBlock[]): void => {
      for (const { bytes } of blocks) {
        counted.blocksSent++
        counted.dataSent += bytes.length
        ofPeer.sentBytes += bytes.length
        ofPeer.exchanges++
      }
    }
    const onFailure = (): void => { if (partners.get(peer) === partner) forget(peer) }
    const partner = { link, ledger, outbox: createOutbox({ link, ledger, background, onSent, onFailure }), counted: ofPeer, wrongBlocks: 0 }
    return partner
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
      background.run(wanted(new Uint8Array(bytes)))
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
      for (const partner of partners.values()) if (partner.ledger.appeared(key)) partner.outbox.wake()
    },
    connected (peer, link) {
      if (partners.has(peer)) return
      partners.set(peer, createPartner(peer, link))
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
      partner.outbox.wake()
    },
    stat: () => ({ ...counted }),
    partners: () => [...partners].filter(([, { ledger }]) => ledger.wants().length > 0).map(([peer]) => peer),
    wants: peer => peer === undefined ? wants.list() : partners.get(peer)?.ledger.wants() ?? [],
    ledger: peer => ({ ...partners.get(peer)?.counted ?? { sentBytes: 0, receivedBytes: 0, exchanges: 0 } }),
    async [Symbol.asyncDispose] () {
      wants[Symbol.dispose]()
      for (const { outbox } of partners.values()) outbox.end()
      partners.clear()
      await background[Symbol.asyncDispose]()
    }
  }
}
