import type { Socket } from 'node:net'
import t from 'tap'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { proxyAlone, readAll } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import { scriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import type { Answer } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import { readPlainRequest } from './plain-request.ts'

const empty = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const scripted = (answer: Answer) => scriptedDaemon((socket, head, rest) => head.includes('X-Own-Address-Check') ? socket.write(empty) : answer(socket, head, rest))
const post = (path: string, headers = ''): string => `POST /api/v0/${path} HTTP/1.1\r\nHost: proxy.example\r\n${headers}\r\n`
const bodyOf = (head: string): string => /arg=(\w+)/.exec(head)?.[1] ?? 'none'
const saying = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`

t.test('plain is one whole request without a body, whose headers the daemon may see as they are', async t => {
  const plain = (text: string): string | undefined => readPlainRequest(Buffer.from(text, 'latin1'), 'daemon:5001')?.head.toString('latin1')

  t.equal(plain(post('id', 'X-a: 1\r\nAuthorization: Bearer x\r\nContent-Length: 0\r\n')), 'POST /api/v0/id HTTP/1.1\r\nHost: daemon:5001\r\nX-a: 1\r\nAuthorization: Bearer x\r\nContent-Length: 0\r\n\r\n')
  for (const text of [
    post('id', 'Content-Length: 3\r\n') + 'abc', post('id', 'Content-Length: 3\r\n'), post('id', 'Content-Length: 0\r\nContent-Length: 0\r\n'),
    post('id', 'Transfer-Encoding: chunked\r\n'), post('id', 'Expect: 100-continue\r\n'), post('id', 'Origin: http://a\r\n'), post('id', 'Connection: Upgrade\r\n'),
    post('id', 'X-a : 1\r\n'), post('id', 'X-a: 1\r\n folded\r\n'), post('id', 'X-a: \xff\r\n'), post('id', 'Host: other\r\n'), post('id#x'), post('i d'), post('\xfc'),
    'POST /api/v0/id HTTP/1.1\r\n\r\n', 'GET /api/v0/id HTTP/1.1\r\nHost: a\r\n\r\n', post('id').replace('1.1', '1.2'), post('id').slice(0, -2), post('id') + post('id'), 'POST /webui HTTP/1.1\r\nHost: a\r\n\r\n'
  ]) t.equal(plain(text), undefined, JSON.stringify(text))
})

t.test('one request after the other is answered over one connection to the daemon', async t => {
  const connections = new Set<unknown>()
  await using daemon = await scripted((socket, head) => { connections.add(socket); socket.write(saying(bodyOf(head))) })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  for (const word of ['one', 'two', 'two', 'three']) {
    client.write(post(`cat?arg=${word}`))
    t.match(await readAll(client, text => text.endsWith(word)), new RegExp(`${word}$`))
  }

  t.equal(connections.size, 1)
  client.destroy()
})

t.test('requests that are sent ahead are answered in their order, also when one of them is not plain', async t => {
  await using daemon = await scripted((socket, head) => socket.write(saying(bodyOf(head))))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('cat?arg=first'))
  await eventually('the first request arrives', () => daemon.heads.some(head => head.includes('arg=first')))
  client.write(post('cat?arg=second') + post('cat?arg=third', 'TE: trailers\r\n') + post('cat?arg=fourth'))

  const all = await readAll(client, text => text.endsWith('fourth'))
  t.strictSame([...all.matchAll(/\r\n\r\n(\w+?)(?=HTTP|$)/g)].map(match => match[1]), ['first', 'second', 'third', 'fourth'])
  client.destroy()
})

t.test('a client that closes its side has its connection to the daemon closed likewise, and still gets its answer', async t => {
  let used: Socket | undefined
  await using daemon = await scripted(socket => { used = socket; socket.write(saying('late')) })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.end(post('cat?arg=x'))

  t.match(await readAll(client), /late$/)
  await eventually('the daemon is told', () => used!.destroyed)
})

t.test('what the daemon sends behind its answer, or in place of one, ends the connection of the client', async t => {
  await using daemon = await scripted((socket, head) => socket.write(head.includes('arg=more') ? `${saying('one')}more` : 'no HTTP\r\n\r\n'))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const [more, none] = [proxy.connect(), proxy.connect()]

  more.write(post('cat?arg=more'))
  none.write(post('cat?arg=none'))

  t.equal(await readAll(more), `${saying('one')}more`)
  t.match(await readAll(none), /^(no HTTP\r\n\r\n)?$/)
})

t.test('a client that asks for it has its connection closed behind the answer', async t => {
  await using daemon = await scripted(socket => socket.write(saying('bye')))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  client.write(post('cat?arg=x', 'Connection: close\r\n'))

  t.equal(await readAll(client), saying('bye'))
  t.match(daemon.heads.at(-1), /\r\nConnection: close$/)
})

t.test('a connection that the daemon closed in between is made anew', async t => {
  const used: Socket[] = []
  await using daemon = await scripted(socket => { used.push(socket); socket.end(saying('x')) })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  client.write(post('cat?arg=one'))
  await readAll(client, text => text.endsWith('x'))
  await eventually('the daemon has closed', () => used.at(-1)!.destroyed)

  client.write(post('cat?arg=two'))

  t.match(await readAll(client, text => text.endsWith('x')), /^HTTP\/1\.1 200 OK/)
  client.destroy()
})

t.test('a file comes through whole and in order, whatever the pieces that it is sent in', async t => {
  const sizes = [700_000, 16_384, 40_000, 3, 600_000, 20_000, 1, 300_000, 32_768, 32_768, 8_191, 2_000_000, 16_400]
  const pieces = sizes.map((size, i) => Buffer.alloc(size, i + 65))
  const file = Buffer.concat(pieces)
  await using daemon = await scripted(socket => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${file.length}\r\n\r\n`)
    const next = (i: number): void => { if (i < pieces.length) socket.write(pieces[i]!, () => setImmediate(next, i + 1)) }
    next(0)
  })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  for (let i = 0; i < 2; i++) {
    client.write(post('cat?arg=file'))
    const answer = await readAll(client, text => text.length - text.indexOf('\r\n\r\n') - 4 === file.length)
    t.ok(answer.slice(answer.indexOf('\r\n\r\n') + 4) === file.toString('latin1'))
  }

  client.destroy()
})

t.test('an HTTP/1.0 client that wants to keep its connection does, when the daemon does', async t => {
  const connections = new Set<Socket>()
  await using daemon = await scripted(socket => { connections.add(socket); socket.write('HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nno') })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  const old = 'POST /api/v0/nope HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'

  for (let i = 0; i < 2; i++) {
    client.write(old)
    t.match(await readAll(client, text => text.endsWith('no')), /^HTTP\/1\.0 404/)
  }

  t.equal(connections.size, 1)
  client.destroy()
})

t.test('what is under way when the proxy closes gets its answer, and then its connection ends', async t => {
  const asked: Socket[] = []
  await using daemon = await scripted(socket => { asked.push(socket) })
  const proxy = await proxyAlone(daemon.multiaddr)
  const clients = ['', 'TE: trailers\r\n'].map(header => {
    const client = proxy.connect()
    client.write(post('cat?arg=x', header))
    return client
  })
  await eventually('both are asked', () => asked.length === 2)

  const closing = proxy[Symbol.asyncDispose]()
  for (const socket of asked) socket.write(saying('late'))

  for (const client of clients) t.match(await readAll(client), /late$/)
  await closing
})
