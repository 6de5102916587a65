/** An engine process as `processes/peer.ts`, with the same arguments, but over the connections that peers have in production. */
import { readFile, writeFile } from 'node:fs/promises'
import { systemClock } from '../../cluster/clock.ts'
import { createIdentity } from '../../cluster/config/identity.ts'
import type { Identity } from '../../cluster/config/identity.ts'
import { addressText } from '../../cluster/consensus/raft/addresses.ts'
import { createPeerTransport } from '../../cluster/consensus/raft/peer-transport.ts'
import { runEngineProcess } from '../../cluster/consensus/raft/processes/engine-process.ts'
import { hostAndPort } from '../../cluster/consensus/raft/tcp-lane.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createHost } from '../../cluster/peers/host.ts'

/** All processes of a run are ours and on one machine. */
const secret = new Uint8Array(32).fill(1)

await runEngineProcess(async (parts, { listen, folder, log }) => {
  const { host: address, port } = hostAndPort(listen)
  const host = createHost({ identity: await keptIdentity(`${folder}/identity.json`), clock: systemClock, log: silentLogger }, {
    secret, listen: [`/ip4/${address}/tcp/${port}`], announce: [], noAnnounce: [], dialTimeoutMs: 3_000
  })
  const transport = createPeerTransport({ ...parts, streams: host, addresses: () => host.addresses(), clock: systemClock, log })
  await host.start({ signal: AbortSignal.timeout(20_000) })
  return { self: { name: host.self, address: addressText(host.addresses()) }, transport }
})

/** A restarted process is the same peer. */
async function keptIdentity (path: string): Promise<Identity> {
  try {
    const { id, privateKey } = JSON.parse(await readFile(path, 'utf8'))
    return { id, privateKey: Buffer.from(privateKey, 'base64') }
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err
    const identity = createIdentity()
    await writeFile(path, JSON.stringify({ id: identity.id, privateKey: Buffer.from(identity.privateKey).toString('base64') }))
    return identity
  }
}
