import { systemClock } from '../../cluster/clock.ts'
import { ipfsHttpSection } from '../../cluster/ipfs/config.ts'
import { createIpfsConnector } from '../../cluster/ipfs/connector.ts'
import { silentLogger } from '../../cluster/log.ts'
import { startDaemon } from '../harness/kubo.ts'
import type { Daemon } from '../harness/kubo.ts'
import { tlsDoor, unixDoor } from '../harness/other-door.ts'
import { ipfsConnectorSuite } from './ipfs-connector.ts'

const kinds: readonly Daemon['kind'][] = (process.env['IPFS_BIN'] ?? '') === '' ? ['embedded'] : ['kubo', 'embedded']
const ways = {
  '': async ({ host, port }: Daemon) => ({ multiaddr: `/ip4/${host}/tcp/${port}`, async [Symbol.asyncDispose] () {} }),
  ' behind TLS': tlsDoor,
  ' behind a unix socket': unixDoor
}

for (const kind of kinds) {
  for (const [way, open] of Object.entries(ways)) {
    ipfsConnectorSuite(`${kind}${way}`, async () => {
      await using undo = new AsyncDisposableStack()
      const daemon = undo.use(await startDaemon({ args: ['--offline'] }, kind))
      const door = undo.use(await open(daemon))
      const ipfs = undo.use(createIpfsConnector({ clock: systemClock, log: silentLogger }, ipfsHttpSection({ node_multiaddress: door.multiaddr }, {})))
      const running = undo.move()
      return { ipfs, [Symbol.asyncDispose]: () => running.disposeAsync() }
    })
  }
}
