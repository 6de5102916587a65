import { NotEnoughPeersError } from '../cluster/api/errors.ts'
import type { PeerId } from '../cluster/api/pin.ts'
import type { Block } from '../cluster/ports.ts'
import { createDelivery } from './delivery.ts'
import type { Delivery, DeliveryComponents, DeliveryOptions } from './delivery.ts'

/** Of what may wait for one destination: as much again may be on its way to one that takes nothing. */
const keptQueues = 2

/**
 * A delivery that goes to other peers when too few of those that were chosen turn out to be there: for as long as nothing is answered, and all of its blocks are
 * held in memory still. What a daemon has added itself is not brought anew: between two imports its GC could take it.
 */
export async function createSteadyDelivery (components: DeliveryComponents, options: DeliveryOptions): Promise<Delivery> {
  const { signal, queueBytesMax } = options
  const gone = new Set<PeerId>()
  let kept: Block[] | undefined = []
  let keptBytes = 0
  let isOver = false
  const isReplaceable = (peer: PeerId): boolean => !isOver && kept !== undefined && components.cluster.canDoWithout(options.pin, [...gone, peer])
  if (options.isHeldHere || options.isLocal === true) return await createDelivery(components, options)
  let delivery = await createDelivery(components, { ...options, isReplaceable })
  if (!delivery.isForOthers && !isReplaceable(components.cluster.self)) return delivery

  function keep (block: Block): void {
    keptBytes += block.bytes.byteLength
    if (keptBytes > keptQueues * queueBytesMax) kept = undefined
    kept?.push(block)
  }

  /** @throws `cause` where there are no others, or what ended that delivery too */
  async function deliverAnew (cause: unknown): Promise<void> {
    const lost = delivery.lost().filter(peer => !gone.has(peer))
    if (lost.length === 0 || kept === undefined || signal.aborted) throw cause
    for (const peer of lost) gone.add(peer)
    await delivery.abandon(cause)
    try {
      delivery = await createDelivery(components, { ...options, isReplaceable, without: [...gone] })
    } catch (err) {
      throw err instanceof NotEnoughPeersError ? cause : err
    }
    for (const block of kept) await delivery.put(block)
  }

  /** Until all that is kept is on its way to peers that are there. Each time fewer are left to be chosen. */
  async function recover (failure: unknown): Promise<void> {
    for (let cause = failure; ;) {
      try {
        return await deliverAnew(cause)
      } catch (err) {
        if (err === cause) throw err
        cause = err
      }
    }
  }

  return {
    isForOthers: true,
    async put (block) {
      keep(block)
      await delivery.put(block).catch(recover)
    },
    async pin (roots, order) {
      while (true) {
        try {
          const outcomes = await delivery.pin(roots, order)
          isOver = true
          return outcomes
        } catch (err) {
          await recover(err)
        }
      }
    },
    abandon: reason => delivery.abandon(reason),
    lost: () => delivery.lost()
  }
}
