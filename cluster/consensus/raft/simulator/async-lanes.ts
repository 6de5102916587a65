import { hardStateOf } from '../core/message.ts'
import { appendThread, applyThread } from '../core/types.ts'
import { isEmpty, syncOrStop, syncRounds } from './sync-lane.ts'
import type { Lane, SimPeer } from './peer.ts'
import type { DiskRecord } from './log-image.ts'
import type { Message, Ready } from '../core/types.ts'

interface Append {
  readonly message: Message
  /** Requests for votes wait for the candidate's own term and vote to be durable (D5). */
  readonly requests: readonly Message[]
}

interface Sync {
  readonly due: number
  readonly records: number
  readonly appends: readonly Append[]
}

/**
 * The owner with lanes: writes are joined while a sync is under way, responses leave when their write is durable,
 * applying may be behind, and the core goes on meanwhile.
 */
export class AsyncLanes implements Lane {
  readonly #peer: SimPeer
  #queued: Append[] = []
  #written: Append[] = []
  #sync: Sync | undefined
  #applying: Message[] = []

  constructor (peer: SimPeer) {
    this.#peer = peer
  }

  work (): void {
    const { core, surroundings: { settings, random, isCalm } } = this.#peer
    for (let turns = 0; turns < 8; turns++) {
      const takes = core.hasReady() && (isCalm() || random.chance(settings.eagerness))
      if (takes) this.#route(this.#peer.take())
      const moved = this.#append()
      if (isCalm() || random.chance(settings.eagerness)) this.#apply()
      if (!takes && !moved) return
    }
  }

  #route ({ messages }: Ready): void {
    const append = messages.find(({ to }) => to === appendThread)
    const waits = (message: Message): boolean => append !== undefined && message.type === 'MsgVote'
    if (append !== undefined) this.#queued.push({ message: append, requests: messages.filter(waits) })
    for (const message of messages) {
      if (message === append || waits(message)) continue
      if (message.to === applyThread) this.#applying.push(message)
      else this.#peer.send(message)
    }
  }

  /** @returns whether anything became durable */
  #append (): boolean {
    const { disk, surroundings: { round } } = this.#peer
    while (this.#queued.length > 0) {
      this.#peer.instruction()
      const append = this.#queued[0] as Append
      const record = recordOf(append.message)
      if (!isEmpty(record) && !disk.write(record)) break
      this.#queued.shift()
      this.#written.push(append)
    }
    if (this.#sync === undefined && this.#written.length > 0) {
      this.#sync = { due: round() + syncRounds(this.#peer), records: disk.unsyncedRecords, appends: this.#written }
      this.#written = []
    }
    if (this.#sync === undefined || this.#sync.due > round()) return false
    const { records, appends } = this.#sync
    this.#sync = undefined
    this.#peer.instruction()
    syncOrStop(this.#peer, records)
    for (const append of appends) this.#durable(append)
    return true
  }

  #durable ({ message, requests }: Append): void {
    if (message.snapshot !== undefined) this.#peer.restore(message.snapshot)
    for (const response of message.responses) this.#respond(response)
    for (const request of requests) this.#peer.send(request)
  }

  #apply (): void {
    const next = this.#applying.shift()
    if (next === undefined) return
    for (const entry of next.entries) this.#peer.apply(entry)
    for (const response of next.responses) this.#respond(response)
  }

  #respond (response: Message): void {
    if (response.to !== this.#peer.id) return this.#peer.send(response)
    this.#peer.instruction()
    this.#peer.core.step(response)
  }
}

function recordOf (message: Message): DiskRecord {
  return { hard: hardStateOf(message), entries: message.entries, snapshot: message.snapshot }
}
