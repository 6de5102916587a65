import type { PeerId } from '../../api/pin.ts'
import { pause } from '../../async/pause.ts'
import type { Clock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import type { AbortOptions } from '../../ports.ts'
import type { Etcd } from './client.ts'
import { EtcdRefusedError, grpc } from './errors.ts'
import type { Keys } from './keys.ts'
import { put, revisionOf } from './wire.ts'

/** A lease is renewed so often before it runs out. */
const renewalsPerTtl = 3
/** When nothing was heard of etcd for so long, this peer says something itself, and has to hear that. */
const silenceMs = 10_000

export interface PresenceComponents {
  readonly etcd: () => Etcd
  readonly keys: Keys
  readonly self: PeerId
  /** What stands in this peer's key. */
  readonly note: () => object
  readonly follower: { silentMs (): number, reached (revision: bigint, options: AbortOptions): Promise<void> }
  readonly clock: Clock
  readonly log: Logger
}

/** This peer's key with a lease, by which the others know that it is there. */
export interface LeasedPresence {
  /** @returns the revision since which it is there */
  announce (options: AbortOptions): Promise<bigint>
  /** Keeps it there until the signal aborts, and finds out when the watch has gone dead. */
  keep (options: AbortOptions): Promise<never>
  /** It is there no more at once, not when the lease has run out. */
  leave (options: AbortOptions): Promise<void>
}

export function createLeasedPresence ({ etcd, keys, self, note, follower, clock, log }: PresenceComponents, { leaseTtl }: { readonly leaseTtl: number }): LeasedPresence {
  let lease: string | undefined

  async function announce ({ signal }: AbortOptions): Promise<bigint> {
    lease ??= (await etcd().call<{ readonly ID: string }>('lease/grant', { TTL: Math.ceil(leaseTtl / 1_000) }, { signal })).ID
    try {
      const { header } = await etcd().txn({ success: [put(keys.peer(self), JSON.stringify(note()), lease)] }, { signal })
      return revisionOf(header)
    } catch (err) {
      if (!(err instanceof EtcdRefusedError) || err.code !== grpc.notFound) throw err
      lease = undefined
      return await announce({ signal })
    }
  }

  async function renew ({ signal }: AbortOptions): Promise<void> {
    if (lease === undefined) return void await announce({ signal })
    const { result } = await etcd().call<{ readonly result?: { readonly TTL?: string } }>('lease/keepalive', { ID: lease }, { signal })
    if (Number(result?.TTL ?? 0) > 0) return
    log.warn('etcd has forgotten that this peer is there; it is told again')
    lease = undefined
    await announce({ signal })
  }

  return {
    announce,
    async keep ({ signal }) {
      while (true) {
        await pause(clock, Math.min(leaseTtl / renewalsPerTtl, silenceMs), signal)
        try {
          await renew({ signal })
          if (follower.silentMs() >= silenceMs) await follower.reached(await announce({ signal }), { signal })
        } catch (err) {
          signal.throwIfAborted()
          log.warn('etcd could not be told that this peer is there; it is tried again', { err })
        }
      }
    },
    async leave ({ signal }) {
      if (lease !== undefined) await etcd().call('lease/revoke', { ID: lease }, { signal })
    }
  }
}
