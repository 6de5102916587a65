/** What happens to the embedded daemon's folder: kills, full disks, damage, other owners. */
import { execFile } from 'node:child_process'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { systemClock } from '../cluster/clock.ts'
import { silentLogger } from '../cluster/log.ts'
import { createEmbeddedDaemon } from '../embedded/daemon.ts'
import type { EmbeddedDaemon } from '../embedded/daemon.ts'
import { wideCar } from './harness/cars.ts'
import { startEmbeddedProcess } from './harness/embedded-process.ts'
import { temporaryFolder } from './harness/folder.ts'
import { rpc, rpcLines, rpcResponse } from './harness/rpc.ts'
import type { RpcTarget } from './harness/rpc.ts'

/** By hand: `EMBEDDED_KILLS=30 node ipfs-compat-tests/embedded-crash.test.ts`. */
const kills = Number(process.env['EMBEDDED_KILLS'] ?? 3)
const workers = 6
t.setTimeout(600_000 + kills * 60_000)
const run = promisify(execFile)

interface Pins { readonly Keys?: Readonly<Record<string, { readonly Type: string }>> }

async function start (folder: string): Promise<EmbeddedDaemon> {
  const daemon = createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: { folder }, port: 0 })
  await daemon.start({ signal: AbortSignal.timeout(240_000) })
  return daemon
}

async function pinned (target: RpcTarget): Promise<ReadonlySet<string>> {
  return new Set(Object.keys((JSON.parse(await rpc(target, 'pin/ls?type=recursive')) as Pins).Keys ?? {}))
}

/** What the daemon has acknowledged; of what it has not, anything may be true. */
interface Acknowledged { readonly pinned: Set<string>, readonly removed: Set<string> }

/** Adds, imports, unpins and collects until the daemon is gone. */
async function work (target: RpcTarget, name: string, acknowledged: Acknowledged, done: () => void): Promise<void> {
  const own: string[] = []
  for (let i = 0; ; i++) {
    if (i % 7 === 6) await rpc(target, 'repo/gc')
    else if (i % 4 === 3) {
      const cid = own.shift()!
      acknowledged.pinned.delete(cid)
      await rpc(target, `pin/rm?arg=${cid}`)
      acknowledged.removed.add(cid)
    } else if (i % 4 === 2) {
      const { root, pieces } = wideCar(20, `${name} ${i}`)
      await rpc(target, 'dag/import', [{ name: 'a.car', content: Buffer.concat(pieces) }])
      acknowledged.pinned.add(root)
      own.push(root)
    } else {
      const content = i % 4 === 0 ? `${name}, small file ${i}` : Buffer.alloc(600_000, `${name}, large file ${i}`)
      const [added] = await rpcLines<{ Hash: string }>(target, 'add', [{ name: 'f', content }])
      acknowledged.pinned.add(added!.Hash)
      own.push(added!.Hash)
    }
    done()
  }
}

t.test('after kill -9 in a burst of adds, imports, removals and collections the store opens, holds what was acknowledged, and no half of a pin', async t => {
  await using folder = await temporaryFolder()
  const acknowledged: Acknowledged = { pinned: new Set(), removed: new Set() }

  for (let round = 0; round < kills; round++) {
    await using daemon = await startEmbeddedProcess(folder.path)
    let left = 10 + round * 17 % 60 // so the kill falls into another moment each time
    const killed = Promise.withResolvers<void>()
    const done = (): void => { if (--left === 0) daemon.kill().then(killed.resolve, killed.reject) }
    await Promise.allSettled(Array.from({ length: workers }, (_, worker) => work(daemon, `round ${round}, worker ${worker}`, acknowledged, done)))
    await killed.promise

    await using after = await start(folder.path)
    const held = await pinned(after.address())
    t.strictSame([...acknowledged.pinned].filter(cid => !held.has(cid)), [], `all ${acknowledged.pinned.size} that were acknowledged are pinned`)
    t.strictSame([...acknowledged.removed].filter(cid => held.has(cid)), [], `none of the ${acknowledged.removed.size} that were removed is`)
    t.equal(await rpc(after.address(), 'pin/verify'), '', 'every pin is whole')
    t.match(await rpc(after.address(), 'repo/verify'), /all blocks validated/)
  }
})

t.test('on a full disk an add fails in Kubo\'s way, the daemon lives, and goes on when there is room', { skip: process.getuid?.() !== 0 && 'needs root, to mount a small disk' }, async t => {
  await using folder = await temporaryFolder()
  await using undo = new AsyncDisposableStack()
  await run('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', folder.path])
  undo.defer(async () => { await run('umount', [folder.path]) })
  const daemon = undo.use(await start(join(folder.path, 'store')))
  const target = daemon.address()
  const file = (i: number): { name: string, content: Buffer }[] => [{ name: 'f', content: Buffer.alloc(3_000_000, `file ${i}`) }]
  const added: string[] = []

  let refused: Response | undefined
  for (let i = 0; refused === undefined; i++) {
    const response = await rpcResponse(target, 'add?chunker=size-1000000', file(i))
    if (response.ok) added.push((JSON.parse(await response.text()) as { Hash: string }).Hash)
    else refused = response
  }

  t.ok(added.length >= 5, `${added.length} files fitted`)
  t.equal(refused.status, 500)
  t.match(await refused.json(), { Message: /no space left on device/i, Code: 0, Type: 'error' })
  t.equal((await rpc(target, `cat?arg=${added[0]!}`)).length, 3_000_000, 'what is there can be read')
  for (const cid of added.slice(0, 8)) await rpc(target, `pin/rm?arg=${cid}`)
  await rpc(target, 'repo/gc')
  for (let i = 100; i < 103; i++) await rpc(target, 'add', file(i))
  t.equal(await rpc(target, 'pin/verify'), '')
})

t.test('two daemons on one folder: the second is refused, naming the first', async t => {
  await using folder = await temporaryFolder()
  await using first = await startEmbeddedProcess(folder.path)

  await t.rejects(start(folder.path), { code: 'ERR_STORAGE', message: new RegExp(`in use by process ${first.pid}: one embedded daemon per folder`) })
})

t.test('a folder of something else is refused and left as it is', async t => {
  await using folder = await temporaryFolder()
  for (const name of ['blocks', 'datastore']) await mkdir(join(folder.path, name))
  await writeFile(join(folder.path, 'version'), '18\n')

  await t.rejects(start(folder.path), { code: 'ERR_STORAGE', message: /holds blocks, datastore, version but no embedded\.mdb: it is no store of the embedded daemon/ })
})

t.test('a store that was cut short is refused, saying so', async t => {
  await using folder = await temporaryFolder()
  await (await start(folder.path))[Symbol.asyncDispose]()
  await truncate(join(folder.path, 'embedded.mdb'), 10_000)

  await t.rejects(start(folder.path), { code: 'ERR_STORAGE', message: /embedded\.mdb is damaged/ })
})

t.test('blocks whose file was cut short are missed when they are read, and the daemon lives', async t => {
  await using folder = await temporaryFolder()
  await using daemon = await start(folder.path)
  const [added] = await rpcLines<{ Hash: string }>(daemon.address(), 'add', [{ name: 'f', content: 'to be lost' }])
  await truncate(join(folder.path, 'blocks', '00000001.blocks'), 0)

  const response = await rpcResponse(daemon.address(), `cat?arg=${added!.Hash}`)

  t.equal(response.status, 500)
  t.match(await response.json(), { Message: /the store is damaged: .*00000001\.blocks ends before/ })
  t.match(await rpc(daemon.address(), 'version'), /emb/)
})
