/** Three of our engine processes on loopback, asked over four connections like etcd is. */
import { openClient } from '../../cluster/consensus/raft/processes/client.ts'
import type { Client } from '../../cluster/consensus/raft/processes/client.ts'
import { ProcessGroup } from '../../cluster/consensus/raft/processes/group.ts'
import type { Answer, Request } from '../../cluster/consensus/raft/processes/protocol.ts'
import { encodeWrite } from '../../cluster/consensus/raft/processes/register-machine.ts'
import type { Target } from './load.ts'
import { quantile } from './load.ts'

const connections = 4
const valueBytes = 256
/** As etcd's defaults: a heartbeat every 100 ms, an election after a second of silence. */
const calm = ['--tick-ms', '100', '--election-ticks', '10', '--snapshot-entries', '100000', '--trailing-entries', '5000']
const electionMs = 200
const quick = ['--tick-ms', '20', '--election-ticks', '10']

export interface OurCluster extends AsyncDisposable, Target {
  readonly writeMany: (count: number) => Promise<void>
  /** Of the leader's event loop since the last call, in milliseconds. */
  readonly loopDelay: () => Promise<{ readonly p50: number, readonly p99: number, readonly max: number }>
}

export async function startOurs (folder: string): Promise<OurCluster> {
  const group = await ProcessGroup.of(folder, 3, calm)
  const leader = await group.leader()
  const clients = Array.from({ length: connections }, () => openClient(leader.client))
  return {
    write: async number => { await must(clients[number % connections]!, { kind: 'write', id: undefined, data: command(`key-${number}`) }) },
    read: async number => { await must(clients[number % connections]!, { kind: 'read', key: `key-${number}` }) },
    writeMany: async count => {
      await must(clients[0]!, { kind: 'write-many', data: Array.from({ length: count }, (_, i) => command(`key-${i}`)) })
    },
    loopDelay: async () => await leader.control.order({ do: 'loop-delay' }),
    async [Symbol.asyncDispose] () {
      for (const client of clients) client[Symbol.dispose]()
      await group.agreed()
      await group[Symbol.asyncDispose]()
    }
  }
}

const command = (key: string): Uint8Array => encodeWrite(key, { kind: 'put', value: 1 }, valueBytes)

async function must (client: Client, request: Request): Promise<Answer> {
  const answer = await client.ask(request)
  if (answer.kind === 'error') throw new Error(answer.message)
  return answer
}

/** kill −9 of the leader until a write is acknowledged by those who are left, in election timeouts. */
export async function measureFailover (folder: string, times: number): Promise<{ readonly p50: number, readonly p99: number }> {
  await using group = await ProcessGroup.of(folder, 3, quick)
  const taken: number[] = []
  for (let i = 0; i < times; i++) {
    const { id } = await group.leader()
    const others = [...group.peers.values()].filter(peer => peer.id !== id)
    await Promise.all(others.map(async ({ control }) => { await control.ask({ kind: 'write', id: undefined, data: command('warm') }) }))
    await group.kill(id)
    const begun = performance.now()
    await Promise.any(others.map(async ({ control }) => { await must(control, { kind: 'write', id: undefined, data: command('after') }) }))
    taken.push((performance.now() - begun) / electionMs)
    await group.start(id)
    await group.agreed()
  }
  taken.sort((a, b) => a - b)
  return { p50: quantile(taken, 0.5), p99: quantile(taken, 0.99) }
}
