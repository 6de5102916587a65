import { systemClock } from '../../cluster/clock.ts'
import { ipfsHttpSection } from '../../cluster/ipfs/config.ts'
import { createIpfsConnector } from '../../cluster/ipfs/connector.ts'
import { silentLogger } from '../../cluster/log.ts'
import { startDaemon } from '../harness/kubo.ts'
import type { Daemon } from '../harness/kubo.ts'
import { ipfsConnectorSuite } from './ipfs-connector.ts'

const kinds: readonly Daemon['kind'][] = (process.env['IPFS_BIN'] ?? '') === '' ? ['embedded'] : ['kubo', 'embedded']

for (const kind of kinds) {
  ipfsConnectorSuite(kind, async () => {
    await using undo = new AsyncDisposableStack()
    const daemon = undo.use(await startDaemon({ args: ['--offline'] }, kind))
    const config = ipfsHttpSection({ node_multiaddress: `/ip4/${daemon.host}/tcp/${daemon.port}` }, {})
    const ipfs = undo.use(createIpfsConnector({ clock: systemClock, log: silentLogger }, config))
    const running = undo.move()
    return { ipfs, [Symbol.asyncDispose]: () => running.disposeAsync() }
  })
}
