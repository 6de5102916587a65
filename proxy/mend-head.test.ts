import t from 'tap'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { proxyAlone, readAll } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import { scriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import { mendHead } from './mend-head.ts'

const empty = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const post = (headers: string, body = '', target = '/api/v0/version'): string => `POST ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`
const mended = (text: string): string => mendHead(Buffer.from(text, 'latin1')).toString('latin1')

/** What Go takes and node's parser does not, and the same as both take it. */
const cases: Readonly<Record<string, readonly [string, string]>> = {
  'a length that is told twice': [post('Content-Length: 3\r\ncontent-length:  3\r\n', 'abc'), post('Content-Length: 3\r\n', 'abc')],
  'a length beside chunks': [post('Content-Length: 9\r\nTransfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'), post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n')],
  'a value that goes on in a second line': [post('X-A: one \r\n\t two\r\n three\r\n'), post('X-A: one two three\r\n')],
  'lines that end in LF alone': [post('X-A: 1\r\n', 'a\n\nb').replaceAll('\r\n', '\n'), post('X-A: 1\r\n', 'a\n\nb')],
  'raw UTF-8 in the target': [post('', '', '/api/v0/version?x=\xc3\xbc'), post('', '', '/api/v0/version?x=%c3%bc')],
  'a target without a path': [post('', '', 'x:1?a=b'), post('', '', 'http://x?a=b')],
  'a scheme before a path': [post('', '', 'x:/api/v0/version'), post('')],
  'a host of odd letters': [post('', '', 'http://x<>/api/v0/version'), post('', '', 'http://x/api/v0/version')],
  'a scheme with a digit': [post('', '', 'h2://x/api/v0/version'), post('', '', 'http://x/api/v0/version')],
  'chunks in HTTP/1.0': [post('Transfer-Encoding: chunked\r\n').replace('1.1', '1.0'), post('').replace('1.1', '1.0')],
  'a later HTTP/1': [post('').replace('1.1', '1.7'), post('')]
}

t.test('a head that Go takes and node does not is mended, and means the same', async t => {
  for (const [name, [before, after]] of Object.entries(cases)) t.equal(mended(before), after, name)
})

t.test('what is good, not whole, or wrong for Go as well is left alone', async t => {
  for (const text of [
    post('Content-Length: 3\r\n', 'abc'), post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'), post('Content-Length: x\r\nContent-Length: x\r\n'),
    'POST /api/v0/version HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n', 'POST /api/v0/version HTTP/1.1\r\n folded: first\r\n\r\n', 'p\xfcst / HTTP/1.1\r\n\r\n', post('').replace('1.1', '2.0')
  ]) t.equal(mended(text), text, JSON.stringify(text))
})

t.test('a first line that is none for Go is none for node', async t => {
  await using daemon = await scriptedDaemon(socket => socket.write(empty))
  await using proxy = await proxyAlone(daemon.multiaddr)

  for (const [line, status] of [['POST  /api/v0/version HTTP/1.1', 400], ['POST /api/v0/version', 400], ['POST /api/v0/version HTTP/1.10', 400], ['POST /api/v0/version HTTP/1.1 ', 400], ['\r\nPOST /api/v0/version HTTP/1.1', 400], ['POST http://x:y/api/v0/version HTTP/1.1', 400], ['POST http://[::1/api/v0/version HTTP/1.1', 400], ['POST x HTTP/1.1', 400], ['POST /api/v0/version HTTP/2.0', 505], ['POST /api/v0/version HTTP/0.9', 505]] as const) {
    const client = proxy.connect()
    client.write(`${line}\r\nHost: x\r\n\r\n`)
    t.match(await readAll(client), new RegExp(`^HTTP/1\\.1 ${status} `), line)
  }
})

t.test('such requests are answered, whether they are the first on their connection or not', async t => {
  const hasBody = (head: string): boolean => /transfer-encoding|content-length: [1-9]/i.test(head)
  await using daemon = await scriptedDaemon((socket, head) => hasBody(head) ? socket.end(empty.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')) : socket.write(empty))
  await using proxy = await proxyAlone(daemon.multiaddr)

  for (const [name, [request]] of Object.entries(cases)) {
    for (const before of ['', post('TE: trailers\r\n')]) {
      const client = proxy.connect()
      if (before !== '') {
        client.write(before)
        await readAll(client, text => text.endsWith('\r\n\r\n'))
        client.removeAllListeners('data')
      }
      client.write(request, 'latin1')
      t.match(await readAll(client, text => text.includes('\r\n\r\n')), /^HTTP\/1\.[01] 200/, `${name}${before === '' ? '' : ', later'}`)
      client.destroy()
    }
  }
})

t.test('a request behind one that was mended is answered on the same connection', async t => {
  await using daemon = await scriptedDaemon((socket, head) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${/x=(\w{3})/.exec(head)?.[1] ?? 'non'}`))
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()

  for (const word of ['one', 'two', 'six', 'ten']) {
    client.write(post('TE: trailers\r\n', '', `/api/v0/version?x=${word}${word === 'two' ? '\xc3\xbc' : ''}`), 'latin1')
    t.match(await readAll(client, text => text.endsWith(word)), new RegExp(`${word}$`))
  }

  client.destroy()
})

t.test('a large upload that is not the first on its connection, with a head that has to be mended, gets through whole', async t => {
  const length = 3_000_000
  await using daemon = await scriptedDaemon((socket, head, rest) => {
    if (!head.includes('files/write')) {
      socket.write(empty)
      return
    }
    let got = rest.length
    const look = (): void => { if (got >= length) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n${got === length ? 'all\n' : 'more'}`) }
    socket.on('data', (chunk: Buffer) => { got += chunk.length; look() })
    look()
  })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  client.write(post('TE: trailers\r\n'))
  await readAll(client, text => text.endsWith('\r\n\r\n'))

  client.write(post(`Content-Length: ${length}\r\nContent-Length: ${length}\r\n`, '', '/api/v0/files/write'))
  for (let sent = 0; sent < length; sent += 100_000) client.write(Buffer.alloc(100_000, 'x'))

  t.match(await readAll(client), /all\n$/)
})

t.test('nonsense that goes on while an answer is waited for is told of once, and nothing is kept of the rest', async t => {
  const warnings: Error[] = []
  const warned = (warning: Error): void => { warnings.push(warning) }
  process.on('warning', warned)
  t.teardown(() => process.off('warning', warned))
  let answer = (): void => {}
  await using daemon = await scriptedDaemon((socket, head) => { if (head.includes('x=held')) answer = () => socket.write(empty); else socket.write(empty) })
  await using proxy = await proxyAlone(daemon.multiaddr)
  const client = proxy.connect()
  const heard = readAll(client)
  client.write(post('TE: trailers\r\n', '', '/api/v0/version?x=held'))
  await eventually('the daemon is asked', () => daemon.heads.some(head => head.includes('x=held')))

  for (let i = 0; i < 30; i++) {
    await new Promise<void>(resolve => { client.write('nonsense\r\n\r\n', () => setImmediate(resolve)) })
  }
  answer()

  t.match(await heard, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nHTTP\/1\.1 400 Bad Request\r\n/)
  t.strictSame(warnings, [])
})
