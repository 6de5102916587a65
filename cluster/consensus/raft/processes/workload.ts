/** Clients that write and read while things go wrong, retry as a careful client would, and write down what they saw. */
import { createPrng } from '../core/prng.ts'
import { NoAnswerError, openClient } from './client.ts'
import type { Client } from './client.ts'
import { within } from './group.ts'
import type { HistoryEntry, Operation } from './linearizability.ts'
import type { Answer, Request } from './protocol.ts'
import { encodeWrite } from './register-machine.ts'

export interface Workload {
  readonly history: readonly HistoryEntry[]
  /** No new operations; resolves when those under way have ended or been given up. */
  stop (): Promise<void>
}

const answerWithinMs = 3_000
/** A retry is worth this long; then the operation counts as unanswered. */
const giveUpAfterMs = 6_000
/** Keys change every so often: unanswered writes make the search for an order exponentially long. */
const eraMs = 1_500

export function startWorkload ({ addresses, clients, keys, seed }: {
  /** Looked at anew each time: peers come and go. */
  readonly addresses: () => readonly string[]
  readonly clients: number
  readonly keys: number
  readonly seed: number
}): Workload {
  const history: HistoryEntry[] = []
  const begunMs = performance.now()
  let running = true

  async function client (number: number): Promise<void> {
    const random = createPrng(seed * 1_000 + number)
    const connections = new Connections()
    using _connections = connections
    const session = new ClientSession(connections, addresses, n => random.below(n))
    while (running) {
      const era = Math.floor((performance.now() - begunMs) / eraMs)
      const key = `${era}-${random.below(keys)}`
      const dice = random.below(10)
      const value = number * 1_000_000 + history.length
      const operation: Operation = dice < 4 ? { kind: 'get' } : dice < 7 ? { kind: 'put', value } : { kind: 'add', value: 1 + random.below(9) }
      const invokedAt = performance.now()
      const answer = await session.carryOut(key, operation)
      if (answer === 'nothing happened') continue
      history.push({ client: number, key, operation, answer, invokedAt, returnedAt: answer === undefined ? undefined : performance.now() })
    }
  }

  const all = Array.from({ length: clients }, (_, i) => client(i))
  return {
    history,
    async stop () {
      running = false
      await Promise.all(all)
    }
  }
}

/** One connection for each address, kept. */
class Connections implements Disposable {
  readonly #open = new Map<string, Client>()

  async ask (address: string, request: Request): Promise<Answer> {
    const client = this.#open.get(address) ?? openClient(address)
    this.#open.set(address, client)
    return await within(answerWithinMs, client.ask(request))
  }

  [Symbol.dispose] (): void { for (const client of this.#open.values()) client[Symbol.dispose]() }
}

/** A session at the group, whichever peer it is used at: a write is repeated until it is answered, and applied once. */
class ClientSession {
  readonly #connections: Connections
  readonly #addresses: () => readonly string[]
  readonly #below: (n: number) => number
  #session: number | undefined
  #sequence = 0

  constructor (connections: Connections, addresses: () => readonly string[], below: (n: number) => number) {
    this.#connections = connections
    this.#addresses = addresses
    this.#below = below
  }

  /** The answer; undefined when there is none and the effect is not known. */
  async carryOut (key: string, operation: Operation): Promise<number | undefined | 'nothing happened'> {
    if (operation.kind === 'get') return await this.#read(key)
    const session = this.#session ?? await this.#open()
    if (session === undefined) return 'nothing happened'
    const sequence = this.#sequence++
    const id = { session, sequence, answeredBelow: sequence }
    const answer = await this.#untilAnswered({ kind: 'write', id, data: encodeWrite(key, operation) })
    if (answer === undefined) this.#session = undefined // the lost one must stay apart from what comes next
    return answer
  }

  async #read (key: string): Promise<number | undefined | 'nothing happened'> {
    return await this.#untilAnswered({ kind: 'read', key }) ?? 'nothing happened'
  }

  async #open (): Promise<number | undefined> {
    this.#session = await this.#untilAnswered({ kind: 'open-session' })
    this.#sequence = 0
    return this.#session
  }

  async #untilAnswered (request: Request): Promise<number | undefined> {
    for (const deadline = performance.now() + giveUpAfterMs; performance.now() < deadline;) {
      const addresses = this.#addresses()
      if (addresses.length === 0) { await soon(); continue }
      try {
        const answer = await this.#connections.ask(addresses[this.#below(addresses.length)]!, request)
        if (answer.kind === 'value') return answer.value
        if (answer.kind === 'error' && answer.code === 'ERR_RAFT_SESSION_EXPIRED') return undefined
      } catch (err) {
        if (!(err instanceof NoAnswerError) && !(err as Error).message.startsWith('no answer')) throw err
      }
      await soon()
    }
    return undefined
  }
}

/** Between two tries at peers that may be gone. */
async function soon (): Promise<void> { await new Promise(resolve => { setTimeout(resolve, 10) }) }
