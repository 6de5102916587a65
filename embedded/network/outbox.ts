import type { Background } from '../../cluster/async/background.ts'
import { multihashKey } from '../dag/block-service.ts'
import type { BitswapMessage, SentBlock, WantEntry } from './bitswap-message.ts'
import type { Ledger } from './ledger.ts'

/** A way to one peer. */
export interface PeerLink {
  /** Resolves when the peer can be sent more. Rejects when it cannot be reached. */
  send (message: BitswapMessage): Promise<void>
  /** Ends the connection. */
  close (why: string): void
}

/** What is to go to one peer: one message after another, as fast as it takes them. What is decided in one turn goes out together. */
export interface Outbox {
  /** A line of our want list; the last word on a block counts. */
  tell (entry: WantEntry): void
  /** The ledger may have something to say. */
  wake (): void
  /** Nothing more goes out. */
  end (): void
}

export interface OutboxParts {
  readonly link: PeerLink
  readonly ledger: Ledger
  readonly background: Background
  readonly onSent: (blocks: readonly SentBlock[]) => void
  readonly onFailure: () => void
}

export function createOutbox ({ link, ledger, background, onSent, onFailure }: OutboxParts): Outbox {
  const unsent = new Map<string, WantEntry>()
  let isSending = false
  let isEnded = false

  const pump = async (): Promise<void> => {
    try {
      await Promise.resolve()
      while (!isEnded) {
        const message = { entries: [...unsent.values()], isFull: false, ...ledger.next() }
        unsent.clear()
        if (message.entries.length + message.blocks.length + message.presences.length === 0) return
        await link.send(message)
        onSent(message.blocks)
      }
    } catch (err) {
      link.close('a message could not be sent')
      onFailure()
      throw err
    } finally {
      isSending = false
    }
  }
  const wake = (): void => {
    if (isSending || isEnded) return
    isSending = true
    background.run(pump())
  }

  return {
    tell (entry) {
      unsent.set(multihashKey(entry.cid), entry)
      wake()
    },
    wake,
    end () { isEnded = true }
  }
}
