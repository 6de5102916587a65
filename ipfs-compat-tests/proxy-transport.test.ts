import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { converse } from './harness/conversation.ts'
import type { Conversation, Heard } from './harness/conversation.ts'
import { startPeer } from './harness/peer.ts'

const cid = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
const nowhere = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const form = 'Content-Type: multipart/form-data; boundary=b\r\n'
const part = (content: string): string => `--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\nContent-Type: application/octet-stream\r\n\r\n${content}`
const file = (content: string): string => `${part(content)}\r\n--b--\r\n`
const head = (method: string, target: string, headers = '', version = '1.1'): string => `${method} ${target} HTTP/${version}\r\nHost: x\r\n${headers}\r\n`
const post = (path: string, headers = '', body = ''): string => head('POST', `/api/v0/${path}`, `${headers}Content-Length: ${body.length}\r\n`) + body
const close = 'Connection: close\r\n'
const last = post('version', close)
const chunk = (text: string, extension = ''): string => `${text.length.toString(16)}${extension}\r\n${text}\r\n`
const chunked = (path: string, headers: string, pieces: readonly string[]): string => head('POST', `/api/v0/${path}`, `${headers}Transfer-Encoding: chunked\r\n`) + pieces.join('')

/** What the embedded daemon does not say in Go's words. */
const ofGo = new Set(['HTTP/1.0 with Expect', 'uploads and calls at once', 'half closed behind a chunked upload', 'chunk extensions, ours', 'chunk extensions, passing', 'trailers of a request, ours', 'trailers of a request, passing', 'a drip of chunks, ours', 'half a head', 'half closed in an upload', 'a head alone', 'an empty chunked body: '])

/** One that passes, one that the proxy answers, and one of each that fails. */
const both = { 'cat': `cat?arg=${cid}`, 'version': 'version', 'pin/ls': `pin/ls?arg=${cid}&type=recursive`, 'repo/stat': 'repo/stat?size-only=true', 'an error of ours': 'pin/add?arg=notacid', 'no such command': 'pin/nope' }

/** Its last chunk, and trailers; or a text that its length is told of. */
const wholeAnswer = /\r\n0\r\n(?:[^\r\n]+\r\n)*\r\n$|\r\nContent-Length: \d+\r\n(?:[^]*\r\n)?\r\n[^]*[^\r]\n$/

type Script = (talk: Conversation) => Promise<void>
const say = (text: string): Script => async talk => { await talk.send(text) }
/** Sends upload bytes for as long as somebody takes them. */
const pour = (request: string, bytes = 32 << 20, wrap = (text: string): string => text): Script => async talk => {
  await talk.send(request)
  const piece = wrap('x'.repeat(1 << 16))
  for (let sent = 0; sent < bytes && !talk.isOver; sent += 1 << 16) await talk.send(piece)
}
const dripping = (text: string): Script => async talk => {
  for (const byte of text.slice(0, -60)) {
    await talk.send(byte)
    await turn()
  }
  await talk.send(text.slice(-60))
}
const each = (name: string, script: (path: string) => Script): [string, Script][] => Object.entries(both).map(([which, path]) => [`${name}: ${which}`, script(path)])
const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT']
const targets = ['/api/v0/version', '/api/v0/pin/ls', '/api/v0/nope', '/version', '/webui', '/nothing']

const scripts: Readonly<Record<string, Script>> = Object.fromEntries([
  ...methods.flatMap(method => targets.map((target): [string, Script] => [`${method} ${target} on a kept connection`, say(head(method, target) + last)])),
  ...each('HTTP/1.0', path => say(`POST /api/v0/${path} HTTP/1.0\r\n\r\n`)),
  ...each('HTTP/1.0 with keep-alive', path => async talk => {
    await talk.send(`POST /api/v0/${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`)
    await talk.until(/\r\nConnection: keep-alive\r\n(?:[^]*\r\n)?\r\n[^]*\n/i) // else it ends
    if (!talk.isOver) await talk.send('POST /api/v0/pin/nope HTTP/1.0\r\n\r\n')
  }),
  ['HTTP/1.0 with an upload', say(`POST /api/v0/add HTTP/1.0\r\n${form}Content-Length: ${file('hello').length}\r\n\r\n${file('hello')}`)],
  ...['files/write?arg=/new&create=true', 'add', 'pin/add'].map((path): [string, Script] => [`HTTP/1.0 with an upload of nothing: ${path}`, say(`POST /api/v0/${path} HTTP/1.0\r\n${form}Content-Length: 7\r\n\r\n--b--\r\n`)]),
  ['HTTP/1.0 with Expect', say(`POST /api/v0/add HTTP/1.0\r\n${form}Expect: 100-continue\r\nContent-Length: ${file('hello').length}\r\n\r\n${file('hello')}`)],
  ...each('a byte at a time', path => dripping(post(path, close))),
  ...each('one after the other', path => async talk => {
    await talk.send(post(path))
    await talk.until(/\r\n\r\n[^]*\n/)
    await talk.send(last)
  }),
  ...each('the same over and over', path => async talk => {
    for (let i = 1; i <= 3; i++) {
      await talk.send(post(path))
      await talk.until(new RegExp(`(?:HTTP/1.1[^]*?\r\n\r\n[^]*?\n){${i}}`))
    }
    await talk.send(last)
  }),
  ['all at once', say(Object.values(both).map(path => post(path)).join('') + last)],
  ['a request and then nonsense', say(post(both['pin/ls']) + 'nonsense\r\n\r\n')],
  ['a request, and then a head that is too long', say(post(both['pin/ls']) + post(`version?x=${'x'.repeat(1_100_000)}`))],
  ['uploads and calls at once', say(post('add', form, file('one')) + post('cat?arg=' + cid) + chunked('add', form, [chunk(file('two')), '0\r\n\r\n']) + post('files/write?arg=/t&create=true&truncate=true', form, file('three')) + post('files/read?arg=/t') + last)],
  ...['version', 'pin/nope'].map((path): [string, Script] => [`half closed: ${path}`, async talk => { await talk.send(post(path) + post(path)); talk.end() }]),
  ['half closed behind a chunked upload', async talk => { await talk.send(chunked('files/write?arg=/h&create=true', form, [chunk(file('hello')), '0\r\n\r\n'])); talk.end() }],
  ...['files/write?arg=/half&create=true', 'version', 'nope', 'cat', 'add?only-hash=true'].map((path): [string, Script] => [`half closed in an upload: ${path}`, async talk => { await talk.send(head('POST', `/api/v0/${path}`, `${form}Content-Length: 1000\r\n`) + part('half')); talk.end() }]),
  ['chunk extensions, ours', say(chunked('add', form, [chunk(file('hello').slice(0, 9), ';ext=1'), chunk(file('hello').slice(9), ';a;b="c"'), '0;last\r\n\r\n']) + last)],
  ['chunk extensions, passing', say(chunked('files/write?arg=/e&create=true', form, [chunk(file('hello'), ';ext=1'), '0\r\n\r\n']) + last)],
  ['trailers of a request, ours', say(chunked('add', `${form}Trailer: X-After\r\n`, [chunk(file('hello')), '0\r\nX-After: all\r\n\r\n']) + last)],
  ['trailers of a request, passing', say(chunked('files/write?arg=/e&create=true', form, [chunk(file('hello')), '0\r\nX-After: all\r\nX-More: 1\r\n\r\n']) + last)],
  ...['add', 'files/write?arg=/empty&create=true', 'version', 'pin/nope'].map((path): [string, Script] => [`an empty chunked body: ${path}`, say(chunked(path, form, ['0\r\n\r\n']) + last)]),
  ['a drip of chunks, ours', dripping(chunked('add', form + close, [...Array.from(file('hello'), one => chunk(one)), '0\r\n\r\n']))],
  ...['add', 'add?only-hash=true', 'files/write?arg=/x&create=true', 'dag/import', 'block/put?pin=true'].map((path): [string, Script] => [`Expect: 100-continue: ${path}`, async talk => {
    await talk.send(head('POST', `/api/v0/${path}`, `${form}Expect: 100-continue\r\nContent-Length: ${file('hello').length}\r\n`))
    await talk.until('\r\n\r\n')
    await talk.send(file('hello') + last)
  }]),
  ['Expect without a body', say(head('POST', '/api/v0/version', `Expect: 100-continue\r\n${close}Content-Length: 0\r\n`))],
  ['a request line of nearly a mebibyte', say(post(`repo/stat?size-only=true&x=${'x'.repeat(1_040_000)}`, close))],
  ['a request line of nearly a mebibyte, passing', say(post(`version?x=${'x'.repeat(1_040_000)}`, close))],
  ['many arguments, ours', say(post('pin/ls?' + `arg=${cid}&`.repeat(9_000) + 'type=recursive', close))],
  ['a request line beyond a mebibyte', say(post(`version?x=${'x'.repeat(1_100_000)}`, close))],
  ['headers of nearly a mebibyte in all', say(post('version', `X-Some: ${'x'.repeat(10_000)}\r\n`.repeat(100) + close))],
  ['headers beyond a mebibyte in all', say(post('version', `X-Some: ${'x'.repeat(10_000)}\r\n`.repeat(120) + close))],
  ['a thousand headers', say(post('repo/stat?size-only=true', Array.from({ length: 1000 }, (_, i) => `X-${i}: ${i}\r\n`).join('') + close))],
  ['a head beyond a mebibyte, poured', pour('POST /api/v0/version HTTP/1.1\r\nHost: x\r\nX-Long: ', 4 << 20)],
  ['no head at all', async talk => { talk.end() }],
  ['half a head', async talk => { await talk.send('POST /api/v0/version HT'); talk.end() }],
  ['an upgrade to h2c', say(post('version', 'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'))]
])

/** Refusals that leave the client at liberty to send its body or not. */
const refusals: Readonly<Record<string, Script>> = Object.fromEntries([
  ...['nope', 'add?hash=nope', 'add?pin=maybe', 'version', `pin/ls?arg=${cid}&type=direct`].map((path): [string, Script] => [`Expect: 100-continue, refused: ${path}`, async talk => {
    await talk.send(head('POST', `/api/v0/${path}`, 'Expect: 100-continue\r\nContent-Length: 100\r\n'))
    await talk.until(wholeAnswer)
  }]),
  ...['nope', 'add?pin=maybe', 'files/write?arg=/x&create=maybe', 'files/write?arg=/x&encoding=nope', 'files/write?arg=/x'].flatMap(path => [
    ['of a small upload on a connection to be closed', 'Connection: close\r\nContent-Length: 100\r\n'], ['of one in chunks on a connection to be closed', 'Connection: close\r\nTransfer-Encoding: chunked\r\n'], ['of a large one', 'Content-Length: 10000000\r\n']
  ].map(([what, framing]): [string, Script] => [`a head alone ${what}: ${path}`, async talk => {
    await talk.send(head('POST', `/api/v0/${path}`, `${path.endsWith('/x') ? 'Origin: http://evil.example\r\n' : ''}${form}${framing}`))
    await talk.until(wholeAnswer)
  }])),
  ['Expect that nobody knows', async talk => {
    await talk.send(head('POST', '/api/v0/add', 'Expect: tea\r\nContent-Length: 100\r\n'))
    await talk.until('\r\n\r\n')
  }],
])

/** Refusals in the middle of an upload: Kubo leaves the rest unread, so that the client's own system may throw its answer away. */
const early: Readonly<Record<string, Script>> = Object.fromEntries([
  ['Connection: close: unknown command', pour(post('nope', close).replace('Content-Length: 0', 'Content-Length: 100000000'))],
  ['Connection: close: bad option', pour(post('add?pin=maybe', form + close).replace('Content-Length: 0', 'Content-Length: 100000000'))],
  ['Connection: close: bad hash', pour(post('add?hash=nope', form + close).replace('Content-Length: 0', 'Content-Length: 100000000') + part(''))],
  ['Connection: close: passing command', pour(post('files/write?arg=nopath', form + close).replace('Content-Length: 0', 'Content-Length: 100000000') + part(''))],
  ['kept: unknown command', pour(post('nope').replace('Content-Length: 0', 'Content-Length: 100000000'))],
  ['kept: passing command', pour(post('files/write?arg=nopath', form).replace('Content-Length: 0', 'Content-Length: 100000000') + part(''))],
  ['chunked: bad hash', pour(chunked('add?hash=nope', form + close, [chunk(part(''))]), undefined, chunk)],
  ['chunked: passing command', pour(chunked('files/write?arg=nopath', form + close, [chunk(part(''))]), undefined, chunk)],
  ...['nope', 'add?hash=nope', 'add?pin=maybe', 'files/write?arg=nopath'].map((path): [string, Script] => [`HTTP/1.0: ${path}`, pour(`POST /api/v0/${path} HTTP/1.0\r\n${form}Content-Length: 100000000\r\n\r\n${part('')}`)]),
  ['forbidden origin', pour(post('add', `Origin: http://evil.example\r\n${form}${close}`).replace('Content-Length: 0', 'Content-Length: 100000000'))],
])

t.test('over a raw connection', async t => {
  await using peer = await startPeer()
  const isComparable = (name: string): boolean => peer.daemon.kind === 'kubo' || ![...ofGo].some(of => name.startsWith(of))
  const both = async (script: Script, hangsUp = false): Promise<[Heard, Heard]> => [await heard(peer.port, script, hangsUp), await heard(peer.daemon.port, script, hangsUp)]

  await t.test('the proxy cannot be told from its daemon', async t => {
    for (const [name, script] of Object.entries(scripts).filter(([name]) => isComparable(name))) {
      const [ours, theirs] = await both(script)

      t.strictSame(ours, theirs, name)
    }
  })

  await t.test('who sends a head and waits is refused in the words of the daemon', async t => {
    for (const [name, script] of Object.entries(refusals).filter(([name]) => isComparable(name))) {
      const [ours, theirs] = await both(script, true)

      t.equal(ours.text, theirs.text, name)
    }
  })

  await t.test('a client that uploads on reads why it is refused, also where the daemon would have reset it', async t => {
    for (const [name, script] of Object.entries(early)) {
      const [ours, theirs] = await both(script)

      t.match(ours, { ending: 'closed', text: /^HTTP\/1\.[01] [45]\d\d [^]*\n/ }, name)
      if (theirs.ending === 'closed') t.equal(ours.text, theirs.text, name)
    }
  })

  await t.test('a client that has closed its side is still told what it asked for, or that it was given up', async t => {
    for (const path of [`pin/ls?arg=${cid}&type=recursive`, 'repo/stat?size-only=true', 'files/stat?arg=/']) {
      t.match(await heard(peer.port, async talk => { await talk.send(post(path)); talk.end() }), { ending: 'closed', text: /^HTTP\/1\.1 200 OK[^]*0\r\n\r\n$/ }, path)
    }
    const { text, ending } = await heard(peer.port, async talk => { await talk.send(post(`pin/add?arg=${nowhere}`)); talk.end() })

    t.match(text, /^HTTP\/1\.1 500 [^]*"Message":"[^"]*context canceled"/)
    t.equal(ending, 'closed')
  })
})

async function heard (port: number, script: Script, hangsUp = false): Promise<Heard> {
  const { text, ending } = await converse(port, script, { hangsUp })
  const own = text.replace(/Date: .*/g, 'Date').replace(/"RepoSize":\d+/g, 'size').replaceAll(String(port), 'PORT')
  return { text: own, ending }
}
