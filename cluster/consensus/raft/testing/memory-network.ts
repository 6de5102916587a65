/** Transports that meet in one process. Messages cross as bytes, so no two peers ever share an object; links can be cut. */
import { decodeMessage, encodeMessage } from '../codec.ts'
import type { NodeId } from '../core/types.ts'
import type { RaftTransport, TransportHandlers } from '../transport.ts'

export class MemoryNetwork {
  readonly #handlers = new Map<NodeId, TransportHandlers>()
  readonly #cut = new Set<string>()
  /** Links that something was sent over, as `from>to`. */
  readonly used = new Set<string>()

  cut (from: NodeId, to: NodeId): void { this.#cut.add(`${from}>${to}`) }
  isolate (id: NodeId): void { for (const other of this.#handlers.keys()) { this.cut(id, other); this.cut(other, id) } }
  heal (): void { this.#cut.clear() }

  transport (id: NodeId): RaftTransport {
    const reach = (to: NodeId): TransportHandlers | undefined => this.#cut.has(`${id}>${to}`) ? undefined : this.#handlers.get(to)
    return {
      start: async handlers => { this.#handlers.set(id, handlers) },
      useMembers () {},
      send: (to, messages) => {
        this.used.add(`${id}>${to}`)
        const bytes = messages.map(encodeMessage)
        setImmediate(() => {
          const handlers = reach(to)
          if (handlers === undefined) this.#handlers.get(id)?.unreachable(to)
          else void handlers.received(id, bytes.map(decodeMessage))
        })
      },
      sendSnapshot: async (to, manifest, read) => {
        const handlers = reach(to)
        if (handlers === undefined) throw new Error(`${to} is out of reach`)
        const from = await handlers.snapshotOffered(id, manifest)
        await handlers.snapshotArrives(id, manifest, read(from))
      },
      status: () => [],
      [Symbol.asyncDispose]: async () => { this.#handlers.delete(id) }
    }
  }
}
