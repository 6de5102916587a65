import { createServer, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import t from 'tap'
import type { Test } from 'tap'
import { createIdentity } from '../config/identity.ts'
import { createHttpDialer } from './http-dial.ts'
import type { HttpDialer } from './http-dial.ts'
import { httpProtocol, listenOverLibp2p } from './http-host.ts'
import { streamDuplex } from './stream-duplex.ts'

const listen = ['/ip4/127.0.0.1/tcp/0']
const signal = AbortSignal.timeout(240_000)

async function dialer (t: Test, secret?: Uint8Array): Promise<HttpDialer> {
  const made = await createHttpDialer({ secret })
  t.teardown(() => made[Symbol.asyncDispose]())
  return made
}

const server = createServer((_request, response) => { response.end('hello') })

async function answerAt (address: string, { connect }: HttpDialer): Promise<string> {
  const { connection } = await connect(address, { signal })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  request({ host: 'peer', createConnection: () => connection as never }, response => { text(response).then(resolve, reject) }).on('error', reject).end()
  return await promise
}

t.test('a peer that serves HTTP over libp2p is asked, again and again', async t => {
  const door = await listenOverLibp2p({ identity: createIdentity(), listen }, connection => { server.emit('connection', connection) })
  t.teardown(() => door[Symbol.asyncDispose]())
  const client = await dialer(t)

  t.equal(await answerAt(door.addresses[0]!, client), 'hello')
  t.equal(await answerAt(door.addresses[0]!, client), 'hello')
})

t.test('a Go cluster serves it behind its secret: who has that is let in, others are not', async t => {
  const secret = Buffer.alloc(32, 7)
  const psk = Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${secret.toString('hex')}`)
  const go = await createLibp2p({ addresses: { listen }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()], connectionProtector: preSharedKey({ psk }) })
  t.teardown(() => go.stop())
  await go.handle(httpProtocol, stream => { server.emit('connection', streamDuplex(stream)) })
  const address = String(go.getMultiaddrs()[0])

  t.equal(await answerAt(address, await dialer(t, secret)), 'hello')
  await t.rejects(answerAt(address, await dialer(t, Buffer.alloc(32, 8))), { code: 'ERR_PEER_FAILED', message: new RegExp(`^no connection to ${address}: `) })
})

t.test('who is not there is told', async t => {
  const address = `/ip4/127.0.0.1/tcp/1/p2p/${createIdentity().id}`

  await t.rejects(answerAt(address, await dialer(t)), { code: 'ERR_PEER_FAILED', message: /ECONNREFUSED/ })
})
