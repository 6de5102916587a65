import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { identity } from 'multiformats/hashes/identity'
import { startPeer } from '../../ipfs-compat-tests/harness/peer.ts'
import { cleanEnv, runCtl } from '../../ipfs-compat-tests/harness/process.ts'
import { selfSigned } from '../../ipfs-compat-tests/harness/self-signed.ts'
import { parseCommandLine } from '../args.ts'
import { program } from './program.ts'

t.setTimeout(1_800_000)

const cid = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'

async function listening (t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
}
const serving = async (t: Test, answer: RequestListener): Promise<string> => await listening(t, createServer(answer))
const asked = (...argv: readonly string[]) => () => parseCommandLine(program, argv, {})

for (const [name, { flags = {}, args = { min: 0 } }] of Object.entries(program.commands)) {
  t.test(`${name}: what is not known or not possible is refused`, async t => {
    const command = [...name.split(' '), ...Array.from({ length: args.min }, () => 'x')]

    t.throws(asked(...command, '--nonsense'), { name: 'UsageError', message: new RegExp(`^unknown flag --nonsense for ${name}`) })
    t.throws(asked('--nonsense', ...command), { name: 'UsageError', message: /^unknown flag --nonsense before the command/ })
    for (const [flag, { type, kind, words }] of Object.entries({ ...program.flags, ...flags })) {
      if (flag === 'version') continue
      if (type === 'string') t.throws(asked(...command, `--${flag}`), { name: 'UsageError', message: `--${flag} wants a value` })
      if (type === 'boolean' || kind !== undefined || words !== undefined) t.throws(asked(...command, `--${flag}=wr ong`), { name: 'UsageError', message: new RegExp(`^--${flag}: expected `) })
    }
    if (args.min > 0) t.throws(asked(...name.split(' ')), { name: 'UsageError', message: /expected .* arguments?, got 0\nusage: / })
  })
}

t.test('what the table of commands cannot see is refused before anybody is asked', async t => {
  const host = await serving(t, (_request, response) => { t.fail('asked'); response.end() })
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--secret', 'short', 'id'], /--secret: expected 64 hexadecimal digits/],
    [['--secret', 'a'.repeat(64), 'id'], /--secret is for a --host with \/p2p\//],
    [['--timeout', '-1', 'id'], /--timeout: expected a number of seconds/],
    [['status', cid, '--filter', 'pinned'], /--filter is for a list of all pins/],
    [['status', '--filter', 'pined'], /--filter: expected .*got "pined" \(did you mean pinned\?\)/],
    [['pin', 'ls', '--filter', ','], /--filter: expected pin, meta-pin/],
    [['pin', 'add', '/ipfs//x'], /not a CID or a path: "\/ipfs\/\/x"/],
    [['pin', 'add', '--allocations', 'x,y', cid], /parsing peer ID: not a peer id: "x"/],
    [['pin', 'add', '--metadata', '=v', cid], /--metadata: expected key=value/],
    [['add', '--no-pin', '--wait', 'package.json'], /--wait waits for a pin, and --no-pin makes none/],
    [['add', '--nocopy', 'package.json'], /--nocopy is for addresses/],
    [['completion', 'tcsh'], /completion: expected bash, zsh, fish/]
  ]
  for (const [args, said] of cases) t.match(await runCtl(['--host', host, ...args]), { code: 1, out: '', err: said }, args.join(' '))
})

t.test('what is neither file, folder nor link ends an upload', async t => {
  const host = await serving(t, request => { request.resume() })

  t.match(await runCtl(['--host', host, 'add', '/dev/null']), { code: 1, out: '', err: /\/dev\/null: expected a file, a folder or a symbolic link/ })
})

t.test('the status of 10,000 CIDs is asked for in requests that a peer takes', async t => {
  const cids = Array.from({ length: 10_000 }, (_, i) => CID.createV1(raw.code, identity.digest(new TextEncoder().encode(`content number ${i}`))).toString())
  let longest = 0
  const seen: string[] = []
  const host = await serving(t, ({ url = '' }, response) => {
    longest = Math.max(longest, url.length)
    const batch = new URLSearchParams(url.split('?')[1]).get('cids')!.split(',')
    seen.push(...batch)
    response.end(batch.map(cid => `${JSON.stringify({ cid, name: '', peer_map: {} })}\n`).join(''))
  })

  const { code, out } = await runCtl(['--host', host, 'status', ...cids])

  t.equal(code, 0)
  t.equal(out, cids.map(cid => `${cid}:\n`).join(''))
  t.strictSame(seen, cids)
  t.ok(longest < 7_000, `${longest} bytes`)
})

t.test('an answer that is none of a peer\'s says where the fault may lie', async t => {
  const answers: readonly (readonly [RequestListener, object])[] = [
    [(_request, response) => { response.end('{"results":[]}') }, { code: 1, err: /the answer is not one of a cluster peer; is --host the REST API/ }],
    [(_request, response) => { response.end('<html>') }, { code: 1, err: /not valid JSON/ }],
    [(_request, response) => { response.writeHead(502).end('<html>bad gateway</html>') }, { code: 2, out: /Code: 502\n  Message: <html>bad gateway<\/html>/ }],
    [(_request, response) => { response.writeHead(404).end('{"error":{"reason":"other"}}') }, { code: 2, out: /Code: 404\n  Message: {"error"/ }],
    [(_request, response) => { response.writeHead(200, { 'content-length': '100' }).write('{"id":'); setImmediate(() => response.destroy()) }, { code: 1, err: /the answer was cut short: aborted/ }],
    [(_request, response) => { response.writeHead(500).end(JSON.stringify({ code: 500, message: 'a\u001b[2Jb' })) }, { code: 2, out: /Message: a\\u001b\[2Jb/ }]
  ]
  for (const [answer, expected] of answers) t.match(await runCtl(['--host', await serving(t, answer), 'id']), expected)
})

t.test('a certificate that nobody signed, and a peer without TLS, are told with the flag that helps', async t => {
  const secure = await listening(t, createTlsServer(await selfSigned(), (_request, response) => { response.end('{"version":"1"}') }) as unknown as Server)
  const bare = await serving(t, (_request, response) => { response.end('{"version":"1"}') })

  t.match(await runCtl(['--https', '--host', secure, 'version']), { code: 1, out: /Code: 0\n.*; --no-check-certificate takes any certificate/ })
  t.match(await runCtl(['--host', `${secure}/https`, '--no-check-certificate', 'version']), { code: 0, out: '1\n' })
  t.match(await runCtl(['--basic-auth', 'a:b', '--host', bare, 'version']), { code: 1, out: /speaks no TLS; with --basic-auth, --force-http goes without/ })
  t.match(await runCtl(['--basic-auth', 'a:b', '--force-http', '--host', bare, 'version']), { code: 0, out: '1\n' })
})

t.test('an add that is interrupted ends with 125 and leaves nothing pinned', async t => {
  await using peer = await startPeer()
  const { promise: isFetched, resolve } = Promise.withResolvers<void>()
  const slow = await serving(t, (_request, response) => { response.write(Buffer.alloc(1 << 20, 'x'), () => { resolve() }) }) // and never the rest
  const host = `/ip4/127.0.0.1/tcp/${new URL(peer.rest).port}`
  const ctl = spawn(process.execPath, [join(import.meta.dirname, '..', 'ipfs-cluster-ctl.js'), '--host', host, 'add', `http://127.0.0.1:${slow.split('/').at(-1)}/file.bin`], { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => ctl.kill('SIGKILL'))
  const ended = once(ctl, 'close')
  await isFetched

  ctl.kill('SIGINT')

  t.strictSame(await ended, [125, null])
  t.match(await runCtl(['--host', host, 'pin', 'ls']), { code: 0, out: '' })
})
