/** The other process: takes what is pushed over PeerRpc, and over TLS as it is, and counts it. */
import { createServer } from 'node:net'
import { TLSSocket } from 'node:tls'
import { systemClock } from '../../cluster/clock.ts'
import { createIdentity } from '../../cluster/config/identity.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createCredentials } from '../../cluster/peers/credentials.ts'
import { createHost } from '../../cluster/peers/host.ts'
import { createPeerRpc } from '../../cluster/peers/rpc/peer-rpc.ts'
import type { RpcHandlers } from '../../cluster/peer-ports.ts'

const secret = Buffer.from(process.argv[2]!, 'hex')
const rawBytes = Number(process.argv[3])
const identity = createIdentity()
const host = createHost({ identity, clock: systemClock, log: silentLogger }, { secret, listen: ['/ip4/127.0.0.1/tcp/0'], announce: [], noAnnounce: [], dialTimeoutMs: 3_000 })
const handlers: Partial<RpcHandlers> = {
  'IpfsConnector.ImportBlocks': async source => {
    for await (const _ of source);
    return []
  },
  'IpfsConnector.SwarmAddresses': async () => ['/ip4/127.0.0.1/tcp/4001']
}
createPeerRpc({ streams: host, handlers: handlers as RpcHandlers, trustOf: () => 'writer', clock: systemClock, log: silentLogger })
await host.start({ signal: AbortSignal.timeout(10_000) })

const { context } = await createCredentials(identity, secret)
const raw = createServer({ noDelay: true }, plain => {
  const socket = new TLSSocket(plain, { isServer: true, secureContext: context })
  let left = rawBytes
  socket.on('error', () => {})
  socket.on('data', bytes => {
    left -= bytes.byteLength
    if (left > 0) return
    socket.write('.')
    left = rawBytes
  })
})
raw.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ peer: host.self, addresses: host.addresses(), rawPort: (raw.address() as { port: number }).port })}\n`)
})
process.on('disconnect', () => { process.exit(0) })
