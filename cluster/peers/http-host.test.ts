import { createServer, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { multiaddr } from '@multiformats/multiaddr'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'
import t from 'tap'
import type { Test } from 'tap'
import { createIdentity } from '../config/identity.ts'
import { httpProtocol, listenOverLibp2p } from './http-host.ts'
import { streamDuplex } from './stream-duplex.ts'

const listen = ['/ip4/127.0.0.1/tcp/0']
const uploadBytes = 5 << 20

/** A server that answers how much it was sent and then so many bytes, and a client that knows nothing but its address. */
async function setUp (t: Test): Promise<{ ask (path: string, body?: Buffer): Promise<string> }> {
  const server = createServer(async (request, response) => {
    const body = await text(request)
    response.end(`${request.method} ${request.url} ${body.length} ${'x'.repeat(Number(request.url!.slice(1)) || 0)}`)
  })
  const door = await listenOverLibp2p({ identity: createIdentity(), listen }, connection => { server.emit('connection', connection) })
  const client: Libp2p = await createLibp2p({ addresses: { listen: [] }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] })
  t.teardown(async () => {
    await client.stop()
    await door[Symbol.asyncDispose]()
  })
  return {
    async ask (path, body) {
      const stream = await client.dialProtocol(multiaddr(door.addresses[0]!), httpProtocol)
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      request({ path, method: body === undefined ? 'GET' : 'POST', host: 'peer', createConnection: () => streamDuplex(stream) as never }, response => { text(response).then(resolve, reject) }).on('error', reject).end(body)
      return await promise
    }
  }
}

t.test('requests and answers of any size go through, several at once', async t => {
  const { ask } = await setUp(t)

  const [small, large] = await Promise.all([ask('/'), ask(`/${uploadBytes}`, Buffer.alloc(uploadBytes, 'y'))])

  t.equal(small, 'GET / 0 ')
  t.equal(large.length, `POST /${uploadBytes} ${uploadBytes} `.length + uploadBytes)
})

t.test('an address that cannot be listened on is refused, naming the setting', async t => {
  await t.rejects(listenOverLibp2p({ identity: createIdentity(), listen: ['/ip4/192.0.2.1/tcp/1'] }, () => {}), { code: 'ERR_INVALID_ARGUMENT', message: /^api\.restapi\.libp2p_listen_multiaddress: cannot listen on/ })
})
