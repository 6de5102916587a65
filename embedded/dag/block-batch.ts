import type { CID } from 'multiformats/cid'
import type { BlockService } from './block-service.ts'

/** Written blocks that need not be waited for yet. The store takes many at once far faster than one after another. */
const outstandingBytesMax = 16 * 1024 * 1024
/** What waiting for one costs beside its bytes; it bounds the number of small ones. */
const bytesPerWait = 1024

export interface BlockBatch {
  /** Waits only when too much is on its way. */
  put (cid: CID, bytes: Uint8Array): Promise<void>
  /** Resolves when all of them can be read; rejects with what any of them failed with. */
  written (): Promise<void>
}

export function createBlockBatch (blocks: BlockService): BlockBatch {
  const outstanding: { readonly writing: Promise<void>, readonly bytes: number }[] = []
  let bytesHeld = 0
  const writtenTo = async (bytesLeft: number): Promise<void> => {
    let count = 0
    for (; count < outstanding.length && bytesHeld > bytesLeft; count++) bytesHeld -= outstanding[count]!.bytes
    await Promise.all(outstanding.splice(0, count).map(({ writing }) => writing))
  }
  return {
    async put (cid, bytes) {
      const writing = blocks.put(cid, bytes)
      writing.catch(() => { /* `written` tells */ })
      outstanding.push({ writing, bytes: bytes.length + bytesPerWait })
      bytesHeld += bytes.length + bytesPerWait
      // to a half, so that there is more for the next write when this one is done
      if (bytesHeld >= outstandingBytesMax) await writtenTo(outstandingBytesMax / 2)
    },
    written: () => writtenTo(-1)
  }
}
