/** One engine in a process of its own, for the harness and the benchmark, whatever carries its messages. */
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { realDisk } from '../disk.ts'
import { openLogStorage } from '../log-storage.ts'
import { monotonicClock } from '../monotonic-clock.ts'
import { createRaftNode } from '../node.ts'
import type { LinkParts } from '../peer-links.ts'
import { openPeerMemory } from '../peer-memory.ts'
import type { RaftNode } from '../raft-node.ts'
import { foundCluster } from '../recovery.ts'
import { hostAndPort } from '../tcp-lane.ts'
import type { RaftTransport } from '../transport.ts'
import { createRequests, serveClient } from './client-requests.ts'
import { cuttable } from './cuttable.ts'
import { createRegisterMachine } from './register-machine.ts'

/** What carries the messages, and how the membership is to name this peer. */
export interface Wire {
  readonly self: { readonly name: string, readonly address: string }
  readonly transport: RaftTransport
}

export interface Place {
  readonly id: string
  /** HOST:PORT. */
  readonly listen: string
  /** The peer's own, for what has to be the same after a restart. */
  readonly folder: string
  readonly log: (message: string) => void
}

const options = {
  folder: { type: 'string' },
  id: { type: 'string' },
  raft: { type: 'string' },
  client: { type: 'string' },
  found: { type: 'string' },
  'tick-ms': { type: 'string', default: '20' },
  'election-ticks': { type: 'string', default: '10' },
  priority: { type: 'string', default: '0' },
  'snapshot-entries': { type: 'string', default: '2000' },
  'trailing-entries': { type: 'string', default: '500' },
  'request-ms': { type: 'string', default: '5000' },
  verbose: { type: 'boolean', default: false }
} as const

/**
 * Runs the engine that the program's arguments describe until it is told to stop. Says `ready` when it takes requests; ends with 70 when the engine
 * had to stop.
 *
 * @throws Error when `--folder`, `--id`, `--raft` or `--client` is missing, or the folder cannot be used
 */
export async function runEngineProcess (openWire: (parts: LinkParts, place: Place) => Promise<Wire>): Promise<void> {
  const { values } = parseArgs({ options })
  const { folder, id, raft, client } = values
  if (folder === undefined || id === undefined || raft === undefined || client === undefined) throw new Error('--folder, --id, --raft and --client are needed')
  const log = (level: string, message: string): void => {
    if (values.verbose || level !== 'info') process.stderr.write(`peer-${id} ${level}: ${message}\n`)
  }

  let running: RaftNode | undefined
  const storage = await openLogStorage({ folder, disk: realDisk, clock: monotonicClock, nodeId: Number(id) })
  const { self, transport: wire } = await openWire({
    storage,
    memory: await openPeerMemory(realDisk, folder),
    confIndex: () => running?.bookkeeping().confIndex ?? 0,
    acknowledged: peer => running?.acknowledged(peer) ?? 0
  }, { id, listen: raft, folder, log: message => { log('info', message) } })
  if (values.found !== undefined && storage.identity.clusterId === undefined) await foundCluster(storage, values.found, self)

  const transport = cuttable(wire)
  const machine = createRegisterMachine()
  const node = running = createRaftNode({ storage, machine, transport, folder, log }, {
    tickMs: Number(values['tick-ms']),
    electionTicks: Number(values['election-ticks']),
    priority: Number(values.priority),
    snapshots: { thresholdEntries: Number(values['snapshot-entries']), trailingEntries: Number(values['trailing-entries']) }
  })
  void node.ended.then(reason => { process.exit(reason === undefined ? 0 : 70) })
  await node.start()

  const { nodeId, incarnation } = storage.identity
  const answer = createRequests({ node, machine, transport, member: { ...self, id: nodeId, incarnation }, requestMs: Number(values['request-ms']) })
  createServer(socket => { serveClient(socket, answer) }).listen(hostAndPort(client), () => { process.stdout.write('ready\n') })
  process.on('SIGTERM', () => { void node[Symbol.asyncDispose]() })
}
