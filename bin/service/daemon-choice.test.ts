import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { freePort } from '../../cluster/consensus/raft/processes/ports.ts'
import { FakeClock } from '../../cluster/clock.ts'
import { eventually } from '../../ipfs-compat-tests/harness/eventually.ts'
import { readServiceJson } from '../../cluster/config/service-json.ts'
import { watchForKubo } from './daemon-choice.ts'
import { versionAt } from './kubo.ts'
import { sections } from './sections.ts'
import type { PeerConfigs } from './sections.ts'

const { signal } = new AbortController()
const configsFor = (port: number, env = {}): PeerConfigs => readServiceJson('{}', sections, { CLUSTER_IPFSHTTP_NODEMULTIADDRESS: `/ip4/127.0.0.1/tcp/${port}`, ...env }).configs

t.test('a Kubo that begins to answer while the embedded daemon is at work is told of once', async t => {
  const clock = new FakeClock()
  const port = await freePort()
  const said: string[] = []
  const watching = watchForKubo({ clock, say: line => said.push(line) }, configsFor(port), signal)
  const server = createServer((_, response) => { response.end('{"Version":"0.44.0"}') }).listen(port, '127.0.0.1')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  await once(server, 'listening')

  await eventually('it is told', () => { clock.advance(60_000); return said.length > 0 })
  await watching

  t.match(said, [/^A Kubo answers at \/ip4\/127\.0\.0\.1\/tcp\/\d+ now\. The next start/])
})

t.test('nobody looks for a Kubo where the embedded daemon is what was asked for', async t => {
  await watchForKubo({ clock: new FakeClock(), say: () => t.fail('told') }, configsFor(await freePort(), { CLUSTER_EMBEDDED_USE: 'always' }), signal)
  t.pass('over at once')
})

t.test('a daemon that wants credentials is there, whatever answers otherwise is unnamed, a port without a listener is nobody', async t => {
  const answers = ['{"Version":"0.44.0"}', '<html>', '{}']
  for (const [text, status, version] of [[answers[0], 200, '0.44.0'], [answers[0], 403, 'unnamed'], [answers[1], 200, 'unnamed'], [answers[2], 200, 'unnamed']] as const) {
    const server = createServer((_, response) => { response.writeHead(status).end(text) }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo

    t.equal(await versionAt(configsFor(port).ipfsHttp.nodeMultiaddress, undefined, signal), version)
    server.closeAllConnections()
    server.close()
  }
  t.equal(await versionAt(configsFor(await freePort()).ipfsHttp.nodeMultiaddress, undefined, signal), undefined)
})
