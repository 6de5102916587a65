import type { Applier } from './applier.ts'
import type { Driver } from './driver.ts'
import type { Snapshotter } from './snapshotter.ts'
import { isOfStorer } from './standing.ts'
import type { Standing } from './standing.ts'
import type { TransportHandlers } from './transport.ts'

/** What a peer does with what others send: messages go to the core, within its turns; snapshots to their files. */
export function inboundHandlers ({ driver, applier, snapshotter, standing }: {
  readonly driver: Driver, readonly applier: Applier, readonly snapshotter: Snapshotter, readonly standing: Standing
}): TransportHandlers {
  const nameOf = (id: number): string => applier.at.members.find(member => member.id === id)?.name ?? ''
  return {
    received: (from, messages, name = nameOf(from)) => driver.post(core => {
      for (const m of messages) {
        // One hop: who is asked to lead and does not must not pass it on, or a proposal could go round for ever.
        if (m.from !== from || (m.type === 'MsgProp' && driver.soft.role !== 'leader')) continue
        if (!isOfStorer(m, driver.term) && !standing.mayWrite(name)) {
          standing.doubt(name)
          continue
        }
        // The file comes beside the message, and first.
        if (m.type === 'MsgSnap' && !snapshotter.has(m.snapshot!.meta) && m.snapshot!.meta.index > applier.at.index) continue
        core.step(m)
      }
    }),
    unreachable: to => { void driver.post(core => { core.reportUnreachable(to) }) },
    async snapshotOffered (from, manifest, name = nameOf(from)) {
      if (!standing.mayWrite(name)) {
        standing.doubt(name)
        throw new Error(`${name} only stores: it has no snapshot to give`)
      }
      return await snapshotter.offered(manifest)
    },
    snapshotArrives: async (_from, manifest, pieces) => { await snapshotter.arrives(manifest, pieces) }
  }
}
