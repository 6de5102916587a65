import { connect } from 'node:net'
import t from 'tap'
import { startPeer } from './harness/peer.ts'

const cid = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
const multipart = 'Content-Type: multipart/form-data; boundary=b\r\n'
const post = (path: string, headers = '', body = ''): string => `POST /api/v0/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`

/** Requests that few clients send and that the recordings have none of: the daemon and the proxy before it are asked the same. */
const requests: Readonly<Record<string, string>> = {
  'no Host': 'POST /api/v0/version HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
  'a Host that is none': post('version').replace('Host: x', 'Host: a b'),
  'a Host that is none, for the peer': post('pin/ls').replace('Host: x', 'Host: a/b'),
  'an IPv6 host and a zone': post('pin/ls').replace('Host: x', 'Host: [fe80::1%25eth0]:5001'),
  'a method in small letters': post('pin/ls').replace('POST', 'post'),
  'a method of odd letters': post('version').replace('POST', 'po~T-1'),
  'a multipart type with a parameter that is none': post(`pin/ls?arg=${cid}`, 'Content-Type: multipart/form-data; boundary\r\n'),
  'a multipart type with one parameter twice': post('pin/ls?type=x', 'Content-Type: multipart/form-data; boundary=a; boundary=b\r\n'),
  'a header name with a space': 'POST /api/v0/version HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n',
  'a header without a colon': post('version', 'X-Some\r\n'),
  'a header with a control character': post('version', 'X-Some: \x01\r\n'),
  'a connection that is to be closed, told in a folded line': post('pin/ls?type=recursive').replace('Connection: close', 'Connection: close\r\n X-Some: 1'),
  'an empty Expect': post('pin/ls?type=recursive', 'Expect: \r\n'),
  'a star that is asked for by POST': 'POST * HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
  'an empty boundary': post('pin/add?arg=notacid', 'Content-Type: multipart/form-data; boundary=""\r\n', '--\r\n\r\n'),
  'an argument in a part without a disposition': post('pin/add', multipart, '--b\r\n\r\nnotacid\r\n--b--\r\n'),
  'an argument in a part whose type is none': post('pin/add', multipart, '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\nContent-Type: a/b/c\r\n\r\nnotacid\r\n--b--\r\n'),
  'blanks in the name of a header of a part': post('pin/add', multipart, '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\nX A : 1\r\n\r\nnotacid\r\n--b--\r\n'),
  'a bad escape in the path': post('pin/%zz'),
  'a multipart body without a boundary': post(`pin/ls?arg=${cid}`, 'Content-Type: multipart/form-data\r\n', 'abc'),
  'a multipart body without a boundary, for arguments': post('pin/add?arg=notacid', 'Content-Type: multipart/form-data\r\n', 'abc'),
  'an empty multipart body for arguments': post('pin/add', multipart),
  'a multipart body that is none': post('pin/add?arg=notacid', multipart, 'hello'),
  'a timeout that is none': post('pin/ls?timeout=abc'),
  'an argument where there are none': post('repo/stat/x?size-only=true'),
  'a name too long in bytes, not in characters': post(`pin/add?arg=${cid}&name=${'%C3%BC'.repeat(128)}`),
  'a length that is told twice': post('pin/ls?type=recursive', 'Content-Length: 0\r\n'),
  'a length that is told twice, passing': post('version', 'Content-Length: 0\r\n'),
  'two lengths that differ': post('version', 'Content-Length: 1\r\n'),
  'a length beside chunks': post('pin/add', `${multipart}Transfer-Encoding: chunked\r\n`, '5\r\n--b--\r\n0\r\n\r\n'),
  'a header that goes on in a second line': post('pin/ls?type=recursive', 'X-Some: one\r\n two\r\n'),
  'lines that end in LF alone': post('repo/stat?size-only=true').replaceAll('\r\n', '\n'),
  'a later HTTP/1': post('version').replace('1.1', '1.5'),
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'the method of that preface': post('version').replace('POST', 'PRI'),
  'a star over HTTP/1.0': 'OPTIONS * HTTP/1.0\r\n\r\n',
  ...Object.fromEntries(['x:1', 'x:1?a=b', 'http://x', 'http://x?a=b', 'x:/api/v0/version', 'x:/api/v0/pin/ls?type=recursive', 'h2://x/api/v0/version', 'http:///api/v0/version', 'http://x:y/api/v0/pin/ls?type=recursive', 'http://[::1/api/v0/version', 'http://x%41/api/v0/version', 'http://x<>/api/v0/version', 'http://u:p@x:1/api/v0/version', ':1', '?x'].map(target => [`the target ${target}`, `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`])),
  'the other methods': `PUT /api/v0/pin/add?arg=${cid} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
}

/** Refused before the command runs: the proxy has Kubo's words, the embedded daemon not all of them. */
const ofGo = new Set(['no Host', 'a Host that is none', 'a Host that is none, for the peer', 'a multipart type with one parameter twice', 'a header name with a space', 'a bad escape in the path', 'an empty multipart body for arguments', 'a multipart body that is none', 'a length that is told twice', 'a length that is told twice, passing', 'two lengths that differ', 'a length beside chunks', 'a header that goes on in a second line', 'lines that end in LF alone', 'a later HTTP/1', 'a header without a colon', 'a header with a control character', 'a connection that is to be closed, told in a folded line', 'an empty Expect', 'a star that is asked for by POST', 'an empty boundary', 'an argument in a part without a disposition', 'an argument in a part whose type is none', 'blanks in the name of a header of a part', 'the preface of HTTP/2', 'the method of that preface', 'a star over HTTP/1.0'])

t.test('odd requests are answered by the proxy as by its daemon', async t => {
  await using peer = await startPeer()
  for (const [name, request] of Object.entries(requests).filter(([name]) => peer.daemon.kind === 'kubo' || !(ofGo.has(name) || name.startsWith('the target ')))) {
    t.equal(comparable(await answerOf(peer.port, request), peer.port), comparable(await answerOf(peer.daemon.port, request), peer.daemon.port), name)
  }
})

async function answerOf (port: number, request: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  socket.on('data', chunk => { text += (chunk as Buffer).toString('latin1') }).on('end', () => resolve(text)).on('error', reject)
  socket.write(request)
  return await promise
}

const comparable = (text: string, port: number): string => text.replace(/Date: .*/g, 'Date').replace(/"RepoSize":\d+/, 'size').replaceAll(String(port), 'PORT')
