import type { Socket } from 'node:net'
import t from 'tap'
import { eventually } from '../ipfs-compat-tests/harness/eventually.ts'
import { proxyAlone } from '../ipfs-compat-tests/harness/proxy-alone.ts'
import { scriptedDaemon } from '../ipfs-compat-tests/harness/scripted-daemon.ts'
import type { Answer } from '../ipfs-compat-tests/harness/scripted-daemon.ts'

const size = 64 << 20
const piece = Buffer.alloc(1 << 20)
const scripted = (answer: Answer) => scriptedDaemon((socket, head, rest) => head.includes('X-Own-Address-Check') ? socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n') : answer(socket, head, rest))

/** Writes as fast as the other side takes it; answers how much the system has been given. */
function pour (socket: Socket): () => number {
  let sent = 0
  const pump = (): void => {
    while (sent < size) {
      sent += piece.length
      if (!socket.write(piece)) return
    }
  }
  socket.on('drain', pump)
  pump()
  return () => sent
}

/** Resolves when nothing moves any more. */
async function still (sent: () => number): Promise<number> {
  let before = -1
  await eventually('it waits', () => {
    const isStill = sent() === before && sent() > 0
    before = sent()
    return isStill
  }, { intervalMs: 300 })
  return sent()
}

for (const [lane, headers] of Object.entries({ 'bytes that are joined': '', 'a request that is read': 'TE: trailers\r\n', 'HTTP/1.0': undefined })) {
  t.test(`a slow reader slows the daemon instead of filling the proxy: ${lane}`, async t => {
    let sent = (): number => 0
    await using daemon = await scripted(socket => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      sent = pour(socket)
    })
    await using proxy = await proxyAlone(daemon.multiaddr)
    const client = proxy.connect()
    client.pause()

    client.write(headers === undefined ? 'POST /webui/ HTTP/1.0\r\n\r\n' : `POST /api/v0/cat HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: 0\r\n\r\n`)

    t.ok(await still(() => sent()) < size / 2)
    client.destroy()
  })
}

for (const [kind, head] of Object.entries({ 'with a length': `Content-Length: ${size}\r\n\r\n`, 'in one endless chunk': `Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`, 'of HTTP/1.0': undefined })) {
  t.test(`a daemon that reads slowly slows the client instead of filling the proxy: an upload ${kind}`, async t => {
    await using daemon = await scripted(socket => { socket.pause() })
    await using proxy = await proxyAlone(daemon.multiaddr)
    const client = proxy.connect()

    client.write(head === undefined ? `POST /api/v0/files/write HTTP/1.0\r\nContent-Length: ${size}\r\n\r\n` : `POST /api/v0/files/write HTTP/1.1\r\nHost: x\r\n${head}`)

    t.ok(await still(pour(client)) < size / 2)
    client.destroy()
  })
}
