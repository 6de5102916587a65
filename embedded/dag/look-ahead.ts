import type { CID } from 'multiformats/cid'
import { createBackground } from '../../cluster/async/background.ts'
import type { Background } from '../../cluster/async/background.ts'
import type { BlockService, ReadOptions } from './block-service.ts'
import { multihashKey } from './block-service.ts'

/** Blocks asked for before they are needed. With blocks of 256 KiB this keeps a fast connection busy, with the largest it is 64 MiB. */
const aheadMax = 32

export interface LookAhead extends AsyncDisposable {
  /** A block that is not here, while those that will be needed after it are asked for as well. @param upcoming the one that is needed so many later */
  get (cid: CID, upcoming: (later: number) => CID | undefined): Promise<Uint8Array>
}

/** For whoever walks a DAG that may be elsewhere: asking for one block after another would cost a round trip each. What is not needed after all is given up in the end. */
export function lookAhead (blocks: BlockService, options: ReadOptions): LookAhead {
  // made when the first block is missing: most walks miss none, and a signal of several costs more than a visit
  let asking: { readonly ending: AbortController, readonly signal: AbortSignal, readonly background: Background } | undefined
  const begin = (): NonNullable<typeof asking> => {
    const ending = new AbortController()
    return { ending, signal: AbortSignal.any([options.signal, ending.signal]), background: createBackground(() => { /* whoever needs the block is told */ }) }
  }
  const underWay = new Set<string>()

  const askFor = async (cid: CID, key: string, signal: AbortSignal): Promise<void> => {
    underWay.add(key)
    try {
      await blocks.get(cid, { signal, offline: false })
    } finally {
      underWay.delete(key)
    }
  }

  return {
    async get (cid, upcoming) {
      for (let later = 0; !options.offline && later < aheadMax && underWay.size < aheadMax; later++) {
        const next = upcoming(later)
        if (next === undefined) break
        const key = multihashKey(next)
        if (underWay.has(key) || blocks.has(next)) continue
        asking ??= begin()
        asking.background.run(askFor(next, key, asking.signal))
      }
      return await blocks.get(cid, options)
    },
    async [Symbol.asyncDispose] () {
      asking?.ending.abort(new Error('not needed any more'))
      await asking?.background[Symbol.asyncDispose]()
    }
  }
}
