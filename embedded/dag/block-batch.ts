import type { CID } from 'multiformats/cid'
import type { BlockService } from './block-service.ts'

/** Written blocks that need not be waited for yet. The store takes many at once far faster than one after another. */
const outstandingBytesMax = 16 * 1024 * 1024

export interface BlockBatch {
  /** Waits only when too much is on its way. */
  put (cid: CID, bytes: Uint8Array): Promise<void>
  /** Resolves when all of them can be read; rejects with what any of them failed with. */
  written (): Promise<void>
}

export function createBlockBatch (blocks: BlockService): BlockBatch {
  let outstanding: Promise<void>[] = []
  let bytesHeld = 0
  const written = async (): Promise<void> => {
    const waitedFor = outstanding
    outstanding = []
    bytesHeld = 0
    await Promise.all(waitedFor)
  }
  return {
    async put (cid, bytes) {
      const writing = blocks.put(cid, bytes)
      writing.catch(() => { /* `written` tells */ })
      outstanding.push(writing)
      bytesHeld += bytes.length
      if (bytesHeld >= outstandingBytesMax) await written()
    },
    written
  }
}
