/** What three embedded daemons, each a process on a folder of its own, take to give one another a large file. */
import { createHash, hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startEmbeddedProcess } from './harness/embedded-process.ts'
import type { EmbeddedProcess } from './harness/embedded-process.ts'
import { temporaryFolder } from './harness/folder.ts'
import { rpc } from './harness/rpc.ts'
import { upload, uploadBoundary } from './harness/upload.ts'

/** By hand: `EMBEDDED_MIB=1024 node ipfs-compat-tests/embedded-exchange.test.ts`. */
const mebibytes = Number(process.env['EMBEDDED_MIB'] ?? 16)
const residentMibMax = 600

t.setTimeout(600_000 + mebibytes * 2_000)

t.test(`${mebibytes} MiB travel from one to the next and on to a third while the second still fetches, in bounded memory`, async t => {
  await using folder = await temporaryFolder()
  await using undo = new AsyncDisposableStack()
  const daemons = await Promise.all(['a', 'b', 'c'].map(async name => undo.use(await startEmbeddedProcess(join(folder.path, name)))))
  const [a, b, c] = daemons as [EmbeddedProcess, EmbeddedProcess, EmbeddedProcess]
  await rpc(b, `swarm/connect?arg=${await addressOf(a)}`)
  await rpc(c, `swarm/connect?arg=${await addressOf(b)}`)
  const digest = createHash('sha256')
  const timed = async <T> (what: string, task: () => Promise<T>): Promise<T> => {
    const startMs = performance.now()
    const result = await task()
    t.comment(`${what}: ${((performance.now() - startMs) / 1_000).toFixed(1)} s; ${(await Promise.all(daemons.map(taken))).join(' | ')}`)
    return result
  }

  const { lines } = await timed('add', async () => await upload(a.port, 'add?cid-version=1', multipart(mebibytes, piece => digest.update(piece))))
  const cid = String(lines[0]!['Hash'])
  await Promise.all([b, c].map(async (daemon, i) => {
    const { text } = await timed(`pin on ${['the second', 'the third'][i]!}`, async () => await upload(daemon.port, `pin/add?arg=${cid}`, new Uint8Array()))
    t.strictSame(JSON.parse(text), { Pins: [cid] })
  }))

  const wanted = digest.digest('hex')
  for (const daemon of [b, c]) t.equal(await timed('cat', async () => await digestOf(daemon, cid)), wanted)
  for (const daemon of daemons) t.ok((await residentMib(daemon) ?? 0) < residentMibMax)
})

async function addressOf (daemon: EmbeddedProcess): Promise<string> {
  return (JSON.parse(await rpc(daemon, 'id')) as { Addresses: [string] }).Addresses[0]
}

/** No block of it is like another. */
async function * multipart (count: number, made: (piece: Buffer) => void): AsyncGenerator<Buffer> {
  yield Buffer.from(`--${uploadBoundary}\r\nContent-Disposition: form-data; name="file"; filename="large"\r\nContent-Type: application/octet-stream\r\n\r\n`)
  for (let i = 0; i < 4 * count; i++) {
    const piece = Buffer.alloc(256 * 1024, hash('sha256', String(i), 'buffer'))
    made(piece)
    yield piece
  }
  yield Buffer.from(`\r\n--${uploadBoundary}--\r\n`)
}

async function digestOf ({ host, port }: EmbeddedProcess, cid: string): Promise<string> {
  const digest = createHash('sha256')
  const response = await fetch(`http://${host}:${port}/api/v0/cat?offline=true&arg=${cid}`, { method: 'POST' })
  for await (const piece of response.body!) digest.update(piece)
  return digest.digest('hex')
}

async function taken (daemon: EmbeddedProcess): Promise<string> {
  return `at most ${String(await residentMib(daemon) ?? '?')} MiB`
}

/** At most, since its start; undefined where the system does not tell. */
async function residentMib ({ pid }: EmbeddedProcess): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kib = /^VmHWM:\s+(\d+)/m.exec(status)?.[1]
  return kib === undefined ? undefined : Math.round(Number(kib) / 1024)
}
