/** Real hosts on loopback, for tests. */
import { createIdentity } from '../../config/identity.ts'
import { systemClock } from '../../clock.ts'
import { silentLogger } from '../../log.ts'
import type { Logger } from '../../log.ts'
import { createHost } from '../host.ts'
import type { Host, HostConfig } from '../host.ts'

export const testSecret = new Uint8Array(32).fill(7)

/** Not started yet. */
export function testHost (config: Partial<HostConfig> = {}, log: Logger = silentLogger): Host {
  return createHost({ identity: createIdentity(), clock: systemClock, log }, {
    secret: testSecret, listen: ['/ip4/127.0.0.1/tcp/0'], announce: [], noAnnounce: [], dialTimeoutMs: 60_000, ...config
  })
}
