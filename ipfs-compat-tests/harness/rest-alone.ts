/** The REST API in front of a cluster that only has the verbs a test gives it. */
import type { Test } from 'tap'
import { CID } from 'multiformats/cid'
import type { Adder } from '../../adder/adder.ts'
import type { GlobalPinInfo } from '../../cluster/api/pin-info.ts'
import type { PeerId } from '../../cluster/api/pin.ts'
import { systemClock } from '../../cluster/clock.ts'
import { silentLogger } from '../../cluster/log.ts'
import type { ClusterOverview } from '../../cluster/peer-ports.ts'
import type { ClusterApi, Monitor } from '../../cluster/ports.ts'
import { restSection } from '../../cluster/rest/config.ts'
import { createRest } from '../../cluster/rest/server.ts'
import type { Rest } from '../../cluster/rest/server.ts'

export const cid = CID.parse('QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN')
export const self = '12D3KooWTest' as PeerId
export const overview = { async ailments () { return [] } } as unknown as ClusterOverview
export const monitor = {} as Monitor
export const infos: readonly GlobalPinInfo[] = Array.from({ length: 3 }, () => ({ cid, name: 'n', allocations: [], origins: [], createdMs: 1, metadata: {}, peers: [] }))

/** @param settings of the section api.restapi */
export async function openRest (t: Test, settings: object = {}, verbs: Partial<ClusterApi> = {}): Promise<Rest> {
  const cluster = { self, async * peers () {}, async * statusAll () { yield * infos }, ...verbs } as unknown as ClusterApi
  const config = restSection({ http_listen_multiaddress: '/ip4/127.0.0.1/tcp/0', ...settings }, {})
  const rest = createRest({ cluster, overview, monitor, adder: {} as Adder, traffic: () => new Map(), clock: systemClock, log: silentLogger, version: '1' }, config, t.testdirName)
  await rest.start({ signal: new AbortController().signal })
  t.teardown(() => rest[Symbol.asyncDispose]())
  return rest
}
