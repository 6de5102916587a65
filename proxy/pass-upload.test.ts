import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { closed } from '../ipfs-compat-tests/harness/closed.ts'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { proxyAlone, readAll } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import { scriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import type { Answer } from '../ipfs-compat-tests/harness/scripted-daemon.ts'

const empty = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const scripted = (answer: Answer) => scriptedDaemon((socket, head, rest) => head.includes('X-Own-Address-Check') ? socket.write(empty) : answer(socket, head, rest))
const post = (path: string, headers = ''): string => `POST /api/v0/${path} HTTP/1.1\r\nHost: proxy.example\r\n${headers}\r\n`
/** One that does with its connections what a test says. */
async function bareDaemon (onConnection: (socket: Socket) => void): Promise<AsyncDisposable & { readonly multiaddr: string }> {
  const server = createServer({ allowHalfOpen: true }, socket => { onConnection(socket.on('error', () => {})) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { multiaddr: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`, async [Symbol.asyncDispose] () { server.close() } }
}
const isWhole = (text: string): boolean => text.endsWith('0\r\n\r\n') || /\r\n0\r\n[^]*\r\n\r\n$/.test(text)

t.test('a daemon that refuses an upload on its head alone is heard before a byte of it is sent', async t => {
  await using daemon = await scripted(socket => { socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n') })
  await using proxy = await proxyAlone(daemon.multiaddr)
  for (const framing of ['Content-Length: 1000\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\nContent-Length: 1000\r\n']) {
    const client = proxy.connect()

    client.write(post('files/write', `X-Name: z\xc3\xbc\r\n${framing}`), 'latin1')

    t.match(await readAll(client, text => text.endsWith('no\n')), /^HTTP\/1\.1 403 Forbidden\r\n/, framing)
    t.match(daemon.heads.at(-1), '\r\nX-Name: z\xc3\xbc\r\n', framing)
    t.match(daemon.heads.at(-1), `\r\nConnection: ${framing.includes('close') ? 'close' : 'keep-alive'}`, framing)
    client.destroy()
  }
})

t.test('an upload of nothing in chunks is one at the daemon, too', async t => {
  const bodies: Buffer[] = []
  await using daemon = await scripted((socket, _, rest) => {
    bodies.push(rest)
    socket.on('data', (chunk: Buffer) => { bodies.push(chunk) }).write(empty)
  })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(`${post('files/write', 'Transfer-Encoding: chunked\r\n')}0\r\n\r\n`)

  await readAll(client, text => text.endsWith('\r\n\r\n'))
  t.match(daemon.heads.at(-1), /\r\nTransfer-Encoding: chunked$/)
  await eventually('the end of the upload', () => Buffer.concat(bodies).toString() === '0\r\n\r\n')
  client.destroy()
})

t.test('uploads one after the other go over one connection to the daemon', async t => {
  const connections = new Set<Socket>()
  await using daemon = await bareDaemon(socket => {
    socket.on('data', (bytes: Buffer) => {
      const text = bytes.toString()
      if (text.includes('files/write')) connections.add(socket)
      if (!text.includes('files/write') || text.endsWith('body')) socket.write(empty)
    })
  })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  for (let i = 0; i < 3; i++) {
    client.write(`${post('files/write', 'Content-Length: 4\r\n')}body`)
    t.match(await readAll(client, text => text.endsWith('\r\n\r\n')), /^HTTP\/1\.1 200 OK/)
    client.removeAllListeners('data')
  }

  t.equal(connections.size, 1)
  client.destroy()
})

t.test('a client that closes its side in the middle of its upload hears what the daemon makes of the half', async t => {
  await using daemon = await bareDaemon(socket => {
    let got = ''
    socket.on('data', (bytes: Buffer) => { got += bytes.toString(); if (got.includes('X-Own-Address-Check')) socket.end(empty) })
    socket.on('end', () => { if (socket.writable) socket.end(`HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\nConnection: close\r\n\r\n${got.endsWith('only this') ? 'half\n' : 'what\n'}`) })
  })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.end(`${post('files/write', 'Content-Length: 1000\r\n')}only this`)

  t.match(await readAll(client), /^HTTP\/1\.1 500 [^]*half\n$/)
})

t.test('an upload that is broken off is broken off at the daemon', async t => {
  const arrived = Promise.withResolvers<Socket>()
  await using daemon = await scripted(socket => arrived.resolve(socket))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  client.write(`${post('files/write', 'Content-Length: 1000\r\n')}only this`)
  const upstream = await arrived.promise

  client.end()

  await closed(upstream)
  t.pass('closed')
  client.destroy()
})

t.test('an answer that begins before the upload ends goes out, and the upload goes on', async t => {
  const bodies: Buffer[] = []
  await using daemon = await scripted((socket, _, rest) => {
    bodies.push(rest)
    socket.on('data', chunk => {
      bodies.push(chunk as Buffer)
      if (Buffer.concat(bodies).includes('0\r\n\r\n')) socket.write('3\r\nend\r\n0\r\n\r\n')
    })
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n')
  })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  client.write(post('files/write', 'Transfer-Encoding: chunked\r\n') + '4\r\nabcd\r\n')
  const answer = readAll(client, isWhole)
  await eventually('the first line', () => bodies.length > 0 && client.bytesRead > 0)

  client.write('4\r\nefgh\r\n0\r\n\r\n')

  t.match(await answer, /begin[^]*end/)
  t.match(Buffer.concat(bodies).toString(), /abcd[^]*efgh/)
  client.destroy()
})

t.test('a last answer reaches a client that is still uploading and asked for the connection to be closed', async t => {
  await using daemon = await scripted(socket => { socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n') })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  const answer = readAll(client, text => text.endsWith('no\n'))
  client.write(post('files/write', 'Connection: close\r\nContent-Length: 100000000\r\n'))
  const piece = Buffer.alloc(64 << 10)
  const pump = (): void => { while (!client.destroyed && client.writable && client.write(piece)); }
  client.on('drain', pump)
  pump()

  t.match(await answer, /^HTTP\/1\.1 403 Forbidden\r\n[^]*no\n$/)
  client.destroy()
})


t.test('an answer that begins in the middle of an upload that was waited for goes out, and the upload goes on', async t => {
  await using daemon = await scripted(socket => {
    let got = ''
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString()
      if (got === 'abcd') socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n')
      if (got === 'abcdefgh') socket.write('3\r\nend\r\n0\r\n\r\n')
    })
    socket.write('HTTP/1.1 100 Continue\r\n\r\n')
  })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  let heard = ''
  client.on('data', (chunk: Buffer) => { heard += chunk.toString() })
  const answer = readAll(client, isWhole)
  client.write(post('files/write', 'Expect: 100-continue\r\nContent-Length: 8\r\n'))
  await eventually('to be told to go on', () => heard.includes('100 Continue'))
  client.write('abcd')
  await eventually('the first line', () => heard.includes('begin'))

  client.write('efgh')

  t.match(await answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*begin[^]*end/)
  client.destroy()
})
