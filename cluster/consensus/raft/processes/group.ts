/** Engine processes on this machine: started, killed, stopped in mid-air, cut off, started again. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Member } from '../members.ts'
import type { NodeStatus } from '../status.ts'
import { openClient } from './client.ts'
import type { Client } from './client.ts'
import { freePort } from './ports.ts'

export interface ProcessPeer {
  readonly id: number
  readonly folder: string
  readonly raft: string
  readonly client: string
  /** For what the harness itself asks. */
  readonly control: Client
  process: ChildProcess | undefined
  paused: boolean
  /** Its end is part of the plan. */
  mayEnd: boolean
}

/** Over plain TCP. Another program carries the messages another way. */
const tcpProgram = fileURLToPath(new URL('peer.ts', import.meta.url))

/** Until something is taken for broken and not for slow: other programs may have the machine to themselves for a while. */
const patienceMs = 120_000

export class ProcessGroup implements AsyncDisposable {
  readonly #folder: string
  readonly #args: readonly string[]
  readonly #program: string
  readonly peers = new Map<number, ProcessPeer>()
  /** Processes that ended by themselves, which none should. */
  readonly unexpectedEnds: string[] = []

  /** Every process runs `program` and gets `args`; folders are made below `folder`. */
  constructor (folder: string, args: readonly string[] = [], program = tcpProgram) {
    this.#folder = folder
    this.#args = args
    this.#program = program
  }

  static async of (folder: string, size: number, args?: readonly string[], program?: string): Promise<ProcessGroup> {
    const group = new ProcessGroup(folder, args, program)
    for (let id = 1; id <= size; id++) await group.create(id)
    await group.start(1, ['--found', 'harness'])
    for (let id = 2; id <= size; id++) {
      await group.start(id)
      await group.takeIn(id)
    }
    return group
  }

  peer (id: number): ProcessPeer { return this.peers.get(id)! }
  get running (): readonly ProcessPeer[] { return [...this.peers.values()].filter(({ process, paused }) => process !== undefined && !paused) }

  async create (id: number): Promise<ProcessPeer> {
    const client = `127.0.0.1:${await freePort()}`
    const peer: ProcessPeer = {
      id, folder: `${this.#folder}/${id}`, raft: `127.0.0.1:${await freePort()}`, client, control: openClient(client), process: undefined, paused: false, mayEnd: false
    }
    this.peers.set(id, peer)
    return peer
  }

  async start (id: number, more: readonly string[] = []): Promise<void> {
    const peer = this.peer(id)
    const child = spawn(process.execPath, [
      this.#program, '--folder', peer.folder, '--id', String(id), '--raft', peer.raft, '--client', peer.client, ...this.#args, ...more
    ], { stdio: ['ignore', 'pipe', 'inherit'] })
    peer.process = child
    peer.paused = false
    child.on('exit', (code, signal) => {
      if (peer.process === child) peer.process = undefined
      if (code !== 0 && signal !== 'SIGKILL' && !peer.mayEnd) this.unexpectedEnds.push(`peer ${id} ended with ${code ?? signal}`)
    })
    await Promise.race([once(child.stdout!, 'data'), once(child, 'exit').then(() => { throw new Error(`peer ${id} did not start`) })])
  }

  /** Asks the leader to make it a member, a voter once it has caught up. */
  async takeIn (id: number): Promise<void> {
    const member = await this.member(id)
    await this.onLeader(async leader => { await leader.control.order({ do: 'add', member }) })
  }

  async member (id: number): Promise<Member> { return await this.peer(id).control.order({ do: 'member' }) }

  async kill (id: number): Promise<void> {
    const { process: child } = this.peer(id)
    if (child === undefined) return
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  pause (id: number): void {
    const peer = this.peer(id)
    peer.paused = peer.process?.kill('SIGSTOP') ?? false
  }

  resume (id: number): void {
    const peer = this.peer(id)
    peer.process?.kill('SIGCONT')
    peer.paused = false
  }

  async statuses (): Promise<readonly NodeStatus[]> {
    const asked = await Promise.allSettled(this.running.map(({ control }) => within(10_000, control.order({ do: 'status' }))))
    return asked.flatMap(each => each.status === 'fulfilled' ? [each.value as NodeStatus] : [])
  }

  /** The one of the newest term, waited for. */
  async leader (waitMs = patienceMs): Promise<ProcessPeer> {
    for (const deadline = performance.now() + waitMs; performance.now() < deadline;) {
      const leading = (await this.statuses()).filter(({ role }) => role === 'leader').toSorted((a, b) => b.term - a.term)[0]
      if (leading !== undefined) return this.peer(leading.nodeId)
      await nextRound()
    }
    throw new Error('nobody leads')
  }

  /** Tries again with whoever leads then, for a while. */
  async onLeader (task: (leader: ProcessPeer) => Promise<void>): Promise<void> {
    let failure: unknown
    for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
      try {
        await task(await this.leader())
        return
      } catch (err) {
        failure = err
        await nextRound()
      }
    }
    throw failure
  }

  /** Waits until all running peers have applied the same and say so; answers the digest. */
  async agreed (waitMs = patienceMs): Promise<{ readonly digest: string, readonly applied: number }> {
    let seen: ReadonlyArray<{ digest: string, applied: number }> = []
    for (const deadline = performance.now() + waitMs; performance.now() < deadline;) {
      seen = await Promise.all(this.running.map(async ({ control }) => await within(patienceMs, control.order({ do: 'dump' }))))
      const [first] = seen
      if (first !== undefined && seen.every(({ applied }) => applied === first.applied)) {
        if (seen.every(({ digest }) => digest === first.digest)) return first
        throw new Error(`peers at index ${first.applied} differ: ${JSON.stringify(seen)}`)
      }
      await nextRound()
    }
    throw new Error(`the peers do not come together: ${JSON.stringify(seen)}`)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    for (const { id, control } of this.peers.values()) {
      await this.kill(id)
      control[Symbol.dispose]()
    }
  }
}

/** A breath between two looks at processes that tell nobody when they change. */
async function nextRound (): Promise<void> { await new Promise(resolve => { setTimeout(resolve, 20) }) }

export async function within<T> (ms: number, task: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => { reject(new Error(`no answer within ${ms} ms`)) }, ms)
  try { return await Promise.race([task, promise]) } finally { clearTimeout(timer) }
}
