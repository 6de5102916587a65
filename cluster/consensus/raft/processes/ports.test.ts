import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { freePorts } from './ports.ts'

t.test('a port that is taken is another one, and no two are the same', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const { port: taken } = server.address() as AddressInfo

  const ports = await freePorts([taken, 0, 0])

  t.notOk(ports.includes(taken))
  t.equal(new Set(ports).size, 3)
})
