/** A group of real nodes over a memory network, each with its disk in memory, for tests of what happens between peers. */
import { FakeClock } from '../../../clock.ts'
import { openLogStorage } from '../log-storage.ts'
import type { Recorder } from '../mailbox-record.ts'
import { createRaftNode } from '../node.ts'
import type { RaftNode, RaftNodeConfig } from '../raft-node.ts'
import { createRegisterMachine, decodeAnswer, encodeWrite } from '../processes/register-machine.ts'
import type { RegisterMachine } from '../processes/register-machine.ts'
import { foundCluster } from '../recovery.ts'
import { CrashDisk, allKept } from './crash-disk.ts'
import { MemoryNetwork } from './memory-network.ts'

export interface GroupPeer { readonly node: RaftNode, readonly machine: RegisterMachine, readonly disk: CrashDisk }

export class Group implements AsyncDisposable {
  readonly network = new MemoryNetwork()
  readonly peers = new Map<number, GroupPeer>()
  readonly #config: RaftNodeConfig
  readonly signal = AbortSignal.timeout(240_000)

  constructor (config: RaftNodeConfig = {}) { this.#config = { tickMs: 5, electionTicks: 60, ...config } }

  /** `size` voters, led by 1. */
  static async of (size: number, config?: RaftNodeConfig): Promise<Group> {
    const group = new Group(config)
    await group.start(1, { found: true })
    await group.until(() => group.node(1).status().role === 'leader')
    for (let id = 2; id <= size; id++) await group.join(id)
    return group
  }

  node (id: number): RaftNode { return this.peers.get(id)!.node }
  machine (id: number): RegisterMachine { return this.peers.get(id)!.machine }
  get leader (): RaftNode {
    const leaders = [...this.peers.values()].filter(({ node }) => node.status().role === 'leader').toSorted((a, b) => b.node.status().term - a.node.status().term)
    if (leaders[0] === undefined) throw new Error('nobody leads')
    return leaders[0].node
  }

  async start (id: number, { found = false, disk = new CrashDisk(), recorder, config }: {
    found?: boolean, disk?: CrashDisk, recorder?: Recorder, config?: RaftNodeConfig
  } = {}): Promise<RaftNode> {
    const storage = await openLogStorage({ folder: '/raft', disk, clock: new FakeClock(), nodeId: id, segmentBytes: 256 * 1_024 })
    if (found) await foundCluster(storage, 'test', { name: `peer-${id}`, address: '' })
    else if (storage.identity.clusterId === undefined) await storage.adoptCluster('test')
    const machine = createRegisterMachine()
    const node = createRaftNode({ storage, machine, transport: this.network.transport(id), folder: '/raft', disk, ...recorder !== undefined && { recorder } }, { seed: id, ...this.#config, ...config })
    await node.start()
    this.peers.set(id, { node, machine, disk })
    return node
  }

  async join (id: number, { config, ...options }: { asLearner?: boolean, config?: RaftNodeConfig } = {}): Promise<void> {
    await this.start(id, config === undefined ? {} : { config })
    await this.leader.membership.add({ id, incarnation: id, name: `peer-${id}`, address: '' }, { signal: this.signal, ...options })
  }

  /** As after a power loss that kept what was synced, and then some. */
  async restart (id: number): Promise<RaftNode> {
    const { node, disk } = this.peers.get(id)!
    disk.faults = { crashAtStep: disk.steps + 1 } // from here on it acknowledges nothing any more
    const after = disk.afterPowerLoss(allKept)
    await node[Symbol.asyncDispose]()
    return await this.start(id, { disk: after })
  }

  async add (id: number, key: string, value: number): Promise<number> {
    return decodeAnswer((await this.node(id).propose(encodeWrite(key, { kind: 'add', value }), { signal: this.signal })).answer)
  }

  async put (id: number, key: string, value: number): Promise<void> {
    await this.node(id).propose(encodeWrite(key, { kind: 'put', value }), { signal: this.signal })
  }

  async until (holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.signal.throwIfAborted()
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    for (const { node } of this.peers.values()) await node[Symbol.asyncDispose]()
  }
}
