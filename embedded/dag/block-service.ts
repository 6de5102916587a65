import type { CID } from 'multiformats/cid'
import { codes } from './codecs.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import type { BlockStore } from '../store/stores.ts'

/** How far a read may go: `offline` looks into this store only. */
export interface ReadOptions { readonly signal: AbortSignal, readonly offline: boolean }

/** Blocks of this daemon. One that is not here is waited for until somebody brings it or the asker gives up, as Kubo does without peers. */
export interface BlockService {
  get (cid: CID, options: ReadOptions): Promise<Uint8Array>
  /** Without a promise when it is here. */
  peek (cid: CID): Uint8Array | undefined
  has (cid: CID): boolean
  put (cid: CID, bytes: Uint8Array): Promise<void>
  delete (cid: CID): Promise<void>
}

const identityHash = 0

/** The block lies neither here nor, as far as may be looked, anywhere else. */
export class BlockNotFoundError extends KuboError {
  constructor (cid: CID, where: 'offline' | 'here') {
    super(`${where === 'offline' ? 'block was not found locally (offline): ' : ''}ipld: could not find ${cid.toString()}`)
  }
}

/** @param isAlone an offline daemon: nothing is ever waited for */
export function createBlockService (store: BlockStore, isAlone: boolean): BlockService {
  const waiting = new Map<string, Set<(bytes: Uint8Array) => void>>()
  const keyOf = (cid: CID): string => Buffer.from(cid.multihash.bytes).toString('latin1')
  const peek = (cid: CID): Uint8Array | undefined => cid.multihash.code === identityHash ? cid.multihash.digest : store.get(cid.multihash.bytes)

  const arrival = async (cid: CID, signal: AbortSignal): Promise<Uint8Array> => {
    const key = keyOf(cid)
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const waiters = waiting.get(key) ?? new Set()
    waiting.set(key, waiters.add(resolve))
    const giveUp = (): void => { reject(signal.reason) }
    signal.addEventListener('abort', giveUp)
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', giveUp)
      waiters.delete(resolve)
      if (waiters.size === 0) waiting.delete(key)
    }
  }

  return {
    peek,
    has: cid => cid.multihash.code === identityHash || store.has(cid.multihash.bytes),
    async get (cid, { signal, offline }) {
      signal.throwIfAborted()
      const here = peek(cid)
      if (here !== undefined) return here
      if (offline || isAlone) throw new BlockNotFoundError(cid, 'offline')
      return await arrival(cid, signal)
    },
    async put (cid, bytes) {
      if (cid.multihash.code === identityHash) return
      await store.put(cid.multihash.bytes, bytes)
      for (const resolve of waiting.get(keyOf(cid)) ?? []) resolve(bytes)
    },
    async delete (cid) { await store.delete(cid.multihash.bytes) }
  }
}

export function isDagPb (cid: CID): boolean { return cid.code === codes['dag-pb'] }
