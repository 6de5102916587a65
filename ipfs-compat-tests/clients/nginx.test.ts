import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { create } from 'kubo-rpc-client'
import t from 'tap'
import { freePort } from '../../cluster/consensus/raft/processes/ports.ts'
import { isAnswered } from '../../cluster/async/is-answered.ts'
import { wideCar } from '../harness/cars.ts'
import { converse } from '../harness/conversation.ts'
import { eventually } from '../harness/eventually.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startPeer } from '../harness/peer.ts'
import { stopProcess } from '../harness/stop-process.ts'
import { multipartOf, upload } from '../harness/upload.ts'

const binary = ['nginx', '/usr/sbin/nginx'].find(name => spawnSync(name, ['-v']).status === 0)

/** What docs/kubo-proxy.md says to write. */
const location = (port: number): string => `
  client_max_body_size 0;
  location /api/v0/ {
    proxy_pass http://127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_read_timeout 1d;
    proxy_send_timeout 1d;
  }`

t.test('nginx in front of the proxy, as the documentation sets it up', { skip: binary === undefined && 'there is no nginx' }, async t => {
  await using peer = await startPeer()
  await using nginx = await startNginx(peer.port)
  const ipfs = create({ url: `http://127.0.0.1:${nginx.port}` })

  await t.test('kubo-rpc-client adds, reads and lists', async t => {
    const content = Buffer.alloc(3 << 20, 'x')
    const { cid } = await ipfs.add(content, { pin: true })

    t.match(await Array.fromAsync(ipfs.pin.ls({ paths: cid })), [{ type: 'recursive' }])
    t.ok(Buffer.concat(await Array.fromAsync(ipfs.cat(cid))).equals(content))
    t.ok(await peer.cluster.state.get(cid))
  })

  await t.test('an answer begins while nothing more is to come for now', async t => {
    const nowhere = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

    const { text } = await converse(nginx.port, async talk => {
      await talk.send(`POST /api/v0/pin/add?arg=${nowhere}&progress=true HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)
      await talk.until('{}')
    }, { hangsUp: true })

    t.match(text, /^HTTP\/1\.1 200 OK[^]*\{\}\n/)
  })

  await t.test('an archive is answered when it is whole, however large it is', async t => {
    const { root, pieces } = wideCar(1_000, 'x'.repeat(4_000))

    const { status, lines } = await upload(nginx.port, 'dag/import?stats=true', multipartOf([{ body: Buffer.concat(pieces) }]))

    t.equal(status, 200)
    t.match(lines, [{ Root: { Cid: { '/': root }, PinErrorMsg: '' } }, { Stats: {} }])
  })

  await t.test('a refusal comes in the words of the daemon', async t => {
    t.match(await upload(nginx.port, 'add?hash=nope', multipartOf([{ body: 'x' }])), { status: 500, text: /unrecognized hash function: \\"nope\\"/ })
    t.match(await upload(nginx.port, 'add?pin=maybe', multipartOf([{ body: 'x' }])), { status: 400, text: /^could not convert value "maybe"/ })
  })
})

async function startNginx (upstream: number): Promise<AsyncDisposable & { readonly port: number }> {
  await using undo = new AsyncDisposableStack()
  const { path } = undo.use(await temporaryFolder())
  const port = await freePort()
  await mkdir(join(path, 'logs'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${path}/${name};`).join(' ')
  await writeFile(join(path, 'nginx.conf'), `daemon off; master_process off; pid ${path}/pid; error_log ${path}/error.log;
events {}
http { access_log off; ${temporary} server { listen 127.0.0.1:${port}; ${location(upstream)} } }
`)
  const child = spawn(binary!, ['-p', path, '-c', 'nginx.conf', '-e', `${path}/error.log`], { stdio: 'ignore' })
  const closed = once(child, 'close')
  undo.defer(() => stopProcess(child, closed))
  await eventually('nginx listens', async () => child.exitCode === null && await isAnswered({ port, host: '127.0.0.1' }))
  const running = undo.move()
  return { port, [Symbol.asyncDispose]: () => running.disposeAsync() }
}
