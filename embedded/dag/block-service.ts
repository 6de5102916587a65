import type { CID } from 'multiformats/cid'
import { codes } from './codecs.ts'
import { hashByCode } from './hashes.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import type { BlockStore } from '../store/stores.ts'

/** How far a read may go: `offline` looks into this store only. */
export interface ReadOptions { readonly signal: AbortSignal, readonly offline: boolean }

/** Blocks of this daemon. One that is not here is asked for from its peers, and waited for until somebody brings it or the asker gives up. */
export interface BlockService {
  get (cid: CID, options: ReadOptions): Promise<Uint8Array>
  /** Without a promise when it is here. */
  peek (cid: CID): Uint8Array | undefined
  has (cid: CID): boolean
  /** Of the block, without reading it; undefined when it is not here. */
  lengthOf (cid: CID): number | undefined
  put (cid: CID, bytes: Uint8Array): Promise<void>
  delete (cid: CID): Promise<void>
}

/** Stores what has come. What it fails with is told to those who wait for the block. */
export type Deliver = (bytes: Uint8Array) => Promise<void>

/** Whoever can be asked for blocks that are not here. */
export interface Exchange {
  /** Asks for it until `unwant`; `deliver` gets what has come once its hash has been checked. */
  want (cid: CID, deliver: Deliver): void
  unwant (cid: CID): void
  /** The block is here now: those who asked for it can have it. */
  announce (cid: CID): void
}

const identityHash = 0

/** The block lies neither here nor, as far as may be looked, anywhere else. */
export class BlockNotFoundError extends KuboError {
  constructor (cid: CID, where: 'offline' | 'here') {
    super(`${where === 'offline' ? 'block was not found locally (offline): ' : ''}ipld: could not find ${cid.toString()}`)
  }
}

interface Waiter { readonly resolve: (bytes: Uint8Array) => void, readonly reject: (err: unknown) => void }

/** @param exchange none for an offline daemon: nothing is ever waited for */
export function createBlockService (store: BlockStore, exchange: Exchange | undefined): BlockService {
  const waiting = new Map<string, Set<Waiter>>()
  const peek = (cid: CID): Uint8Array | undefined => cid.multihash.code === identityHash ? cid.multihash.digest : store.get(cid.multihash.bytes)
  const waitersOf = (cid: CID): Iterable<Waiter> => [...waiting.get(multihashKey(cid)) ?? []]

  const arrival = async (cid: CID, signal: AbortSignal, { want, unwant }: Exchange): Promise<Uint8Array> => {
    const key = multihashKey(cid)
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const waiter = { resolve, reject }
    const waiters = waiting.get(key) ?? new Set()
    waiting.set(key, waiters.add(waiter))
    const giveUp = (): void => { reject(signal.reason) }
    signal.addEventListener('abort', giveUp)
    try {
      // what cannot be checked is not asked for
      if (waiters.size === 1 && hashByCode(cid.multihash.code) !== undefined) want(cid, bytes => deliver(cid, bytes))
      return await promise
    } finally {
      signal.removeEventListener('abort', giveUp)
      waiters.delete(waiter)
      if (waiters.size === 0 && waiting.get(key) === waiters) {
        waiting.delete(key)
        unwant(cid)
      }
    }
  }
  const put = async (cid: CID, bytes: Uint8Array): Promise<void> => {
    if (cid.multihash.code === identityHash) return
    await store.put(cid.multihash.bytes, bytes)
    for (const { resolve } of waitersOf(cid)) resolve(bytes)
    exchange?.announce(cid)
  }
  const deliver = async (cid: CID, bytes: Uint8Array): Promise<void> => {
    try {
      await put(cid, bytes)
    } catch (err) {
      for (const { reject } of waitersOf(cid)) reject(err)
    }
  }

  return {
    peek,
    has: cid => cid.multihash.code === identityHash || store.has(cid.multihash.bytes),
    lengthOf: cid => cid.multihash.code === identityHash ? cid.multihash.digest.length : store.lengthOf(cid.multihash.bytes),
    async get (cid, { signal, offline }) {
      signal.throwIfAborted()
      const here = peek(cid)
      if (here !== undefined) return here
      if (offline || exchange === undefined) throw new BlockNotFoundError(cid, 'offline')
      return await arrival(cid, signal, exchange)
    },
    put,
    async delete (cid) { await store.delete(cid.multihash.bytes) }
  }
}

export function isDagPb (cid: CID): boolean { return cid.code === codes['dag-pb'] }

/** A multihash as a key of maps: blocks are the same whatever codec and version they are asked for in. */
export function multihashKey (cid: CID): string { return bytesKey(cid.multihash.bytes) }

export function bytesKey (bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
