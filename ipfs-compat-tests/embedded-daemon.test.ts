import { code, encode } from '@ipld/dag-cbor'
import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import t from 'tap'
import type { Test } from 'tap'
import { systemClock } from '../cluster/clock.ts'
import { silentLogger } from '../cluster/log.ts'
import { createStore } from '../cluster/store/store.ts'
import { carHeader, carSection } from '../embedded/dag/car.ts'
import { createEmbeddedDaemon } from '../embedded/daemon.ts'
import type { EmbeddedDaemon, EmbeddedDaemonConfig } from '../embedded/daemon.ts'
import { eventually } from './harness/eventually.ts'
import { startDaemon } from './harness/kubo.ts'
import { rpc, rpcLines, rpcResponse } from './harness/rpc.ts'

interface Added { readonly Name: string, readonly Hash: string }
interface Pins { readonly Keys?: Readonly<Record<string, { readonly Type: string, readonly Name: string }>> }
const helloCid = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ipfs-quorum-embedded-'))
  t.teardown(async () => await rm(path, { recursive: true, force: true }))
  return path
}

async function start (config: Partial<EmbeddedDaemonConfig>): Promise<EmbeddedDaemon> {
  const daemon = createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: 'memory', port: 0, ...config })
  await daemon.start({ signal: AbortSignal.timeout(240_000) })
  return daemon
}

t.setTimeout(1_800_000)

t.test('a daemon on a folder resumes what it held: its name, its blocks, its pins', async t => {
  const path = await folder(t)
  const first = await start({ stores: { folder: path } })
  const { ID } = JSON.parse(await rpc(first.address(), 'id')) as { ID: string }
  await rpc(first.address(), 'add?pin-name=kept', [{ name: 'hello.txt', content: 'hello world\n' }])
  await first[Symbol.asyncDispose]()

  await using second = await start({ stores: { folder: path } })

  t.equal((JSON.parse(await rpc(second.address(), 'id')) as { ID: string }).ID, ID)
  t.equal(await rpc(second.address(), `cat?arg=${helloCid}`), 'hello world\n')
  t.match(JSON.parse(await rpc(second.address(), `pin/ls?arg=${helloCid}&names=true`)), { Keys: { [helloCid]: { Type: 'recursive', Name: 'kept' } } })
})

t.test('what was acknowledged is there after kill -9 in a burst', async t => {
  const path = await folder(t)
  const script = join(import.meta.dirname, 'harness/fixtures/embedded-on-folder.ts')
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close') // it may come while the burst is still being told
  const [line] = await once(createInterface(child.stdout), 'line') as [string]
  const target = { host: '127.0.0.1', port: Number(line) }
  const acknowledged: string[] = []

  const burst = Array.from({ length: 8 }, async (_, worker) => {
    for (let i = 0; acknowledged.length < 60; i++) {
      const [added] = await rpcLines<Added>(target, 'add', [{ name: 'f', content: `worker ${worker}, file ${i}` }])
      acknowledged.push(added!.Hash)
    }
    child.kill('SIGKILL')
  })
  await Promise.allSettled(burst)
  await closed

  await using daemon = await start({ stores: { folder: path } })
  const { Keys = {} } = JSON.parse(await rpc(daemon.address(), 'pin/ls?type=recursive')) as Pins
  t.strictSame(acknowledged.filter(cid => Keys[cid] === undefined), [], `of ${acknowledged.length}`)
  for (const cid of acknowledged) t.match(await rpc(daemon.address(), `cat?offline=true&arg=${cid}`), /^worker/)
})

t.test('a collection waits for an upload that runs, and takes none of its blocks', async t => {
  await using daemon = await start({})
  const { host, port } = daemon.address()
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  const parts = ['--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nfirst of two\n\r\n', '--b\r\nContent-Disposition: form-data; name="file"; filename="b"\r\n\r\nsecond of two\n\r\n--b--\r\n']
  socket.write(`POST /api/v0/add HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${parts.join('').length}\r\n\r\n`)
  const answer = once(socket, 'data')
  socket.write(`${parts[0]!}--b\r\nCon`)

  await answer // the first file has been added and told of, the second is on its way
  let isCollected = false
  const collecting = rpc(daemon.address(), 'repo/gc').then(lines => { isCollected = true; return lines })
  await rpc(daemon.address(), 'pin/ls')
  t.equal(isCollected, false, 'the collection waits')
  socket.write(parts[1]!.slice('--b\r\nCon'.length))
  t.equal(await collecting, '', 'nothing goes')
  const { Keys = {} } = JSON.parse(await rpc(daemon.address(), 'pin/ls?type=recursive')) as Pins
  t.equal(Object.keys(Keys).length, 3)
  socket.destroy()
})

t.test('an upload whose client goes leaves no pin', async t => {
  await using daemon = await start({})
  const { host, port } = daemon.address()
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  socket.write('POST /api/v0/add HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nnot all of it')

  socket.destroy()
  t.equal(await rpc(daemon.address(), 'repo/gc'), '', 'the lock is free again')

  t.strictSame(Object.keys((JSON.parse(await rpc(daemon.address(), 'pin/ls')) as Pins).Keys ?? {}), ['QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'])
})

t.test('a block that is not here is waited for until somebody brings it', async t => {
  await using daemon = await start({})
  const content = 'late\n'
  const [hashed] = await rpcLines<Added>(daemon.address(), 'add?only-hash=true&raw-leaves=true', [{ name: 'x', content }])

  const pinning = rpc(daemon.address(), `pin/add?arg=${hashed!.Hash}`)
  await rpc(daemon.address(), 'block/put', [{ name: 'x', content }])

  t.strictSame(JSON.parse(await pinning), { Pins: [hashed!.Hash] })
})

t.test('a chain of 20,000 nodes is pinned, listed and collected without recursion', async t => {
  await using daemon = await start({})
  const { car, root } = chain(20_000)

  const [imported] = await rpcLines<{ Root: { Cid: { '/': string }, PinErrorMsg: string } }>(daemon.address(), 'dag/import', [{ name: 'chain.car', content: car }])

  t.strictSame(imported!.Root, { Cid: { '/': root }, PinErrorMsg: '' })
  t.equal(Object.keys((JSON.parse(await rpc(daemon.address(), 'pin/ls')) as Pins).Keys ?? {}).length, 20_001)
  t.equal(await rpc(daemon.address(), 'repo/gc'), '')
})

/** A CAR of so many nodes, each a link to the next. */
function chain (length: number): { car: Uint8Array, root: string } {
  const sections: Uint8Array[] = []
  let cid: CID | undefined
  for (let i = 0; i < length; i++) {
    const bytes = encode({ i, next: cid ?? null })
    cid = CID.createV1(code, create(0x12, hash('sha256', bytes, 'buffer')))
    sections.push(carSection(cid, bytes))
  }
  return { car: Buffer.concat([carHeader([cid!]), ...sections.reverse()]), root: cid!.toString() }
}

t.test('settings that mean nothing here are refused, not ignored', async t => {
  t.throws(() => createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: 'memory', port: 0, kuboConfig: { Swarm: { DisableNatPortMap: true } } as object }), { code: 'ERR_INVALID_ARGUMENT', message: /Swarm\.DisableNatPortMap/ })
  t.throws(() => createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: 'memory', port: 0, profile: 'lowpower' }), { code: 'ERR_INVALID_ARGUMENT', message: /lowpower/ })
})

t.test('a folder of another layout is refused', async t => {
  const path = await folder(t)
  await (await start({ stores: { folder: path } }))[Symbol.asyncDispose]()
  {
    await using store = createStore({ folder: path, fileName: 'embedded.mdb' })
    const own = store.table('own')
    await store.start({ signal: AbortSignal.timeout(240_000) })
    await store.write(() => { own.put(Buffer.from('layout'), Buffer.from('99')) })
  }

  await t.rejects(start({ stores: { folder: path } }), { code: 'ERR_STORAGE', message: /layout 99/ })
})

t.test('a file that is pinned itself is listed as held from above, too, unless its own pin is recursive', async t => {
  await using daemon = await startDaemon({}, 'embedded')
  const [a, b, directory] = (await rpcLines<Added>(daemon, 'add?pin=false', [{ name: 'd/a', content: 'first' }, { name: 'd/b', content: 'second' }])).map(({ Hash }) => Hash)
  await rpc(daemon, `pin/add?arg=${a!}&recursive=false`)
  await rpc(daemon, `pin/add?arg=${directory!}&arg=${b!}`)

  const { Keys } = JSON.parse(await rpc(daemon, `pin/ls?arg=${a!}&type=indirect`)) as Pins
  const refused = await rpcResponse(daemon, `pin/ls?arg=${b!}&type=indirect`)

  t.strictSame(Keys, { [a!]: { Type: `indirect through ${directory!}`, Name: '' } })
  t.match(await refused.json(), { Message: `path '${b!}' is not pinned` })
})

t.test('a path that ends before its last step is told by the step and the node', async t => {
  await using daemon = await startDaemon({}, 'embedded')
  const { Cid: { '/': cid } } = JSON.parse(await rpc(daemon, 'dag/put', [{ name: 'node', content: '{"a":{"b":[1]},"s":"x"}' }])) as { Cid: { '/': string } }
  const errorAt = async (path: string): Promise<unknown> => ((await (await rpcResponse(daemon, `dag/get?arg=${cid}/${path}`)).json()) as { Message: string }).Message

  t.equal(await errorAt('a/x'), 'key not found: "x"')
  for (const path of ['a/x/y', 'a/b/x/y', 's/x/y']) t.equal(await errorAt(path), `no link named "x" under ${cid}`, path)
})

t.test('dag-cbor that is not strict is refused in Kubo\'s words', async t => {
  await using daemon = await startDaemon({}, 'embedded')

  for (const [bytes, message] of [
    ['ff', 'invalid majorByte: 0xff'], ['f8', 'invalid majorByte: 0xf8'], ['9f01ff', 'cbor: indefinite-length encoding rejected'], ['1801', 'cbor: integer not minimally encoded'],
    ['f97e00', 'cbor: NaN float value rejected'], ['fb7ff0000000000000', 'cbor: infinite float value rejected'], ['a2616101616101', 'duplicate map key "a"']
  ] as const) {
    const response = await rpcResponse(daemon, 'dag/put?input-codec=dag-cbor', [{ name: 'node', content: Buffer.from(bytes, 'hex') }])
    t.match(await response.json(), { Message: message })
  }
})

t.test('what the daemon does not have it answers as Kubo answers an unknown command', async t => {
  await using daemon = await startDaemon({}, 'embedded')

  for (const path of ['log/tail', 'config/edit', 'version/deps']) {
    const response = await rpcResponse(daemon, path)

    t.equal(response.status, 404, path)
    t.equal(await response.text(), '404 page not found\n', path)
  }
})

t.test('MFS is there after a restart, and a collection leaves what it reaches', async t => {
  const path = await folder(t)
  const first = await start({ stores: { folder: path } })
  await rpc(first.address(), 'files/mkdir?arg=/a/b&parents=true')
  await rpc(first.address(), 'files/write?arg=/a/b/file&create=true', [{ name: 'f', content: 'kept in MFS\n' }])
  await first[Symbol.asyncDispose]()

  await using second = await start({ stores: { folder: path } })
  await rpc(second.address(), 'repo/gc')

  t.equal(await rpc(second.address(), 'files/read?arg=/a/b/file'), 'kept in MFS\n')
})

t.test('a daemon that is asked to shut down answers, takes no further request, and then nobody listens', async t => {
  await using daemon = await start({})
  const { host, port } = daemon.address()

  t.equal(await rpc(daemon.address(), 'shutdown'), '')
  await t.rejects(rpc(daemon.address(), 'version'), 'not even on the same connection')

  await eventually('the port is closed', async () => {
    const socket = connect(port, host)
    const isOpen = await once(socket, 'connect').then(() => true, () => false)
    socket.destroy()
    return !isOpen
  })
})
