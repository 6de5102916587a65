import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { CID } from 'multiformats/cid'
import { systemClock } from '../../cluster/clock.ts'
import { createIdentity } from '../../cluster/config/identity.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createHost } from '../../cluster/peers/host.ts'
import { createPeerRpc } from '../../cluster/peers/rpc/peer-rpc.ts'
import type { RpcHandlers } from '../../cluster/peer-ports.ts'
import type { ImportItem, PeerRpc } from '../../cluster/peer-ports.ts'
import type { PeerId } from '../../cluster/api/pin.ts'
import { mib } from '../content.ts'
import { secondsOf } from '../harness.ts'
import { say, tell } from '../output.ts'
import { cpuSecondsOf, memoryOf } from '../process-figures.ts'
import { median } from '../report.ts'
import type { Round } from '../report.ts'

const blockBytes = 256 * 1_024
const cid = CID.parse('bafkqaaa')
const callsPerRound = 200

/** Blocks from one process to another over PeerRpc beside TLS as it is, and how long a call takes meanwhile. The arguments: MiB a round (256), rounds (5). */
export async function bench ([size = '256', rounds = '5']: readonly string[]): Promise<void> {
  const bytes = Number(size) * mib
  const secret = randomBytes(32)
  const sink = fork(fileURLToPath(new URL('sink.ts', import.meta.url)), [secret.toString('hex'), String(bytes)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const [line] = await once(sink.stdout!, 'data') as [Buffer]
  const { peer, addresses, rawPort } = JSON.parse(String(line)) as { peer: PeerId, addresses: string[], rawPort: number }
  const signal = AbortSignal.timeout(600_000)
  const host = createHost({ identity: createIdentity(), clock: systemClock, log: silentLogger }, { secret, listen: ['/ip4/127.0.0.1/tcp/0'], announce: [], noAnnounce: [], dialTimeoutMs: 3_000 })
  const rpc = createPeerRpc({ streams: host, handlers: {} as RpcHandlers, trustOf: () => 'open', clock: systemClock, log: silentLogger })
  await host.start({ signal })
  host.learn(peer, addresses)
  const raw = connect({ port: rawPort, host: '127.0.0.1', rejectUnauthorized: false })
  await once(raw, 'secureConnect')

  const results = { bare: [] as Round[], peer: [] as Round[] }
  const idle = await callTimes(rpc, peer, async () => {})
  const busy: number[] = []
  const rss: number[] = []
  for (let round = -1; round < Number(rounds); round++) {
    const bare = await measure(bytes, sink.pid!, () => sendRaw(raw, bytes))
    const ours = await measure(bytes, sink.pid!, () => push(rpc, peer, bytes, signal))
    busy.push(...await callTimes(rpc, peer, async () => { await push(rpc, peer, bytes, signal) }))
    rss.push((await memoryOf(process.pid)).all + (await memoryOf(sink.pid!)).all)
    if (round < 0) continue // the first warms up
    results.bare.push(bare)
    results.peer.push(ours)
  }
  await tell({
    sides: 'TLS bare, and PeerRpc',
    title: `${size} MiB of blocks of 256 KiB to another process`,
    rounds: results,
    measured: { rate: { unit: 'MB/s', goals: { bare: { atLeast: 0.4 } } }, cpu: { unit: 'ms of both processes per MiB' } }
  })
  say(`  a call takes ${shown(idle)} alone, ${shown(busy)} beside such a stream; both processes hold at most ${Math.round(Math.max(...rss))} MiB\n`)
  sink.disconnect()
}

async function measure (bytes: number, sinkPid: number, work: () => Promise<void>): Promise<Round> {
  const cpuSeconds = async (): Promise<number> => await cpuSecondsOf(process.pid) + await cpuSecondsOf(sinkPid)
  const before = await cpuSeconds()
  const rate = bytes / await secondsOf(work) / 1e6
  return { rate, cpu: (await cpuSeconds() - before) * 1_000 / (bytes / mib) }
}

async function sendRaw (socket: TLSSocket, bytes: number): Promise<void> {
  const done = once(socket, 'data')
  const block = Buffer.alloc(blockBytes, 1)
  for (let sent = 0; sent < bytes; sent += blockBytes) {
    if (!socket.write(block)) await once(socket, 'drain')
  }
  await done
}

async function push (rpc: PeerRpc, peer: PeerId, bytes: number, signal: AbortSignal): Promise<void> {
  const block = { cid, bytes: Buffer.alloc(blockBytes, 1) }
  const source = async function * (): AsyncGenerator<ImportItem> {
    for (let sent = 0; sent < bytes; sent += blockBytes) yield block
  }
  await rpc.push(peer, 'IpfsConnector.ImportBlocks', source(), { signal })
}

/** Milliseconds of calls, one after another, for as long as `work` takes; a fixed number when it takes no time. */
async function callTimes (rpc: PeerRpc, peer: PeerId, work: () => Promise<void>): Promise<number[]> {
  const times: number[] = []
  let isDone = false
  const working = work().finally(() => { isDone = true })
  while (!isDone || times.length < callsPerRound) {
    times.push(await secondsOf(() => rpc.call(peer, 'IpfsConnector.SwarmAddresses', undefined, { signal: AbortSignal.timeout(30_000) })) * 1_000)
  }
  await working
  return times
}

const shown = (times: readonly number[]): string => `${median(times).toFixed(2)} ms (99 of 100 within ${times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)]!.toFixed(1)})`
