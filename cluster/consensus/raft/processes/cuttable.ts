import type { NodeId } from '../core/types.ts'
import type { RaftTransport } from '../transport.ts'

export interface Links { readonly to: readonly NodeId[], readonly from: readonly NodeId[] }

/** A transport whose links can be cut, one way or both, although the connections stand: what a firewall does that lets handshakes pass. */
export interface CuttableTransport extends RaftTransport { cut (links: Links): void }

export function cuttable (transport: RaftTransport): CuttableTransport {
  let links: Links = { to: [], from: [] }
  let unreachable: (to: NodeId) => void = () => {}
  const mustReach = (ids: readonly NodeId[], id: NodeId): void => { if (ids.includes(id)) throw new Error(`the link with node ${id} is cut`) }
  return {
    async start (handlers) {
      unreachable = handlers.unreachable
      await transport.start({
        ...handlers,
        received: (from, messages) => links.from.includes(from) ? undefined : handlers.received(from, messages),
        snapshotOffered: async (from, manifest) => {
          mustReach(links.from, from)
          return await handlers.snapshotOffered(from, manifest)
        }
      })
    },
    useMembers (members) { transport.useMembers(members) },
    send (to, messages) {
      if (links.to.includes(to)) unreachable(to)
      else transport.send(to, messages)
    },
    async sendSnapshot (to, manifest, read, options) {
      mustReach(links.to, to)
      await transport.sendSnapshot(to, manifest, read, options)
    },
    status: () => transport.status(),
    cut (now) { links = now },
    async [Symbol.asyncDispose] () { await transport[Symbol.asyncDispose]() }
  }
}
