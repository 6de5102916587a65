import type { CID } from 'multiformats/cid'
import type { BlockService } from './block-service.ts'

/** Written blocks that need not be waited for yet. The store takes many at once far faster than one after another. */
const outstandingBytesMax = 32 * 1024 * 1024
/** What waiting for one costs beside its bytes; it bounds the number of small ones. */
const bytesPerWait = 4096

export interface BlockBatch {
  /** Waits only when too much is on its way. */
  put (cid: CID, bytes: Uint8Array): Promise<void>
  /** Resolves when all of them can be read; rejects with what any of them failed with. */
  written (): Promise<void>
}

export function createBlockBatch (blocks: Pick<BlockService, 'put'>): BlockBatch {
  let bytesHeld = 0
  let failure: { readonly err: unknown } | undefined
  let less: PromiseWithResolvers<void> | undefined
  const end = (bytes: number): void => {
    bytesHeld -= bytes
    less?.resolve()
    less = undefined
  }
  const downTo = async (bytes: number): Promise<void> => {
    while (bytesHeld > bytes) {
      less ??= Promise.withResolvers()
      await less.promise
    }
    if (failure !== undefined) throw failure.err
  }
  return {
    async put (cid, bytes) {
      const held = bytes.length + bytesPerWait
      bytesHeld += held
      blocks.put(cid, bytes).then(() => { end(held) }, (err: unknown) => {
        failure ??= { err }
        end(held)
      })
      // to a half, so that there is more for the next write when this one is done
      if (bytesHeld >= outstandingBytesMax) await downTo(outstandingBytesMax / 2)
    },
    written: () => downTo(0)
  }
}
