/**
 * One engine in a process of its own, over plain TCP:
 * `node peer.ts --folder F --id N --raft 127.0.0.1:P --client 127.0.0.1:P [--found CLUSTER] [--tick-ms 20] [--election-ticks 10] [--priority 0] [--snapshot-entries 2000] [--trailing-entries 500]`
 */
import { monotonicClock } from '../monotonic-clock.ts'
import { createTcpTransport } from '../tcp-transport.ts'
import { runEngineProcess } from './engine-process.ts'

await runEngineProcess(async (parts, { id, listen }) => {
  const self = { name: `peer-${id}`, address: listen }
  return { self, transport: createTcpTransport({ ...parts, self, clock: monotonicClock }) }
})
