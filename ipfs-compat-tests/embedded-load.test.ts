/** Uploads, pins and collections at once, and DAGs that are deep or wide. */
import t from 'tap'
import { systemClock } from '../cluster/clock.ts'
import { silentLogger } from '../cluster/log.ts'
import { createEmbeddedDaemon } from '../embedded/daemon.ts'
import type { EmbeddedDaemon } from '../embedded/daemon.ts'
import { wideCar } from './harness/cars.ts'
import { temporaryFolder } from './harness/folder.ts'
import { rpc, rpcLines } from './harness/rpc.ts'

t.setTimeout(1_800_000)

async function start (folder: string): Promise<EmbeddedDaemon> {
  const daemon = createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, { stores: { folder }, port: 0 })
  await daemon.start({ signal: AbortSignal.timeout(240_000) })
  return daemon
}

interface Collected { readonly Key: { readonly '/': string } }

t.test('collections in a loop take no block of the adds, imports and pins that run', async t => {
  await using folder = await temporaryFolder()
  await using daemon = await start(folder.path)
  const target = daemon.address()
  const roots: string[] = []
  let isOver = false

  const collecting = Array.from({ length: 2 }, async () => { while (!isOver) await rpc(target, 'repo/gc') })
  await Promise.all([
    ...Array.from({ length: 4 }, async (_, worker) => {
      for (let i = 0; i < 10; i++) roots.push((await rpcLines<{ Hash: string }>(target, 'add', [{ name: 'f', content: Buffer.alloc(700_000, `worker ${worker}, file ${i}`) }]))[0]!.Hash)
    }),
    ...Array.from({ length: 2 }, async (_, worker) => {
      for (let i = 0; i < 10; i++) {
        const { root, pieces } = wideCar(200, `worker ${worker}, car ${i}`)
        const [imported] = await rpcLines<{ Root: { PinErrorMsg: string } }>(target, 'dag/import', [{ name: 'a.car', content: Buffer.concat(pieces) }])
        t.equal(imported!.Root.PinErrorMsg, '')
        roots.push(root)
      }
    })
  ])
  isOver = true
  await Promise.all(collecting)

  t.equal(await rpc(target, 'pin/verify'), '', 'every pin is whole')
  t.equal((await rpcLines(target, 'pin/ls?type=recursive&stream=true')).length, roots.length + 1)
})

t.test('of two collections at once each block is taken by one', async t => {
  await using folder = await temporaryFolder()
  await using daemon = await start(folder.path)
  const target = daemon.address()
  const { root, pieces } = wideCar(3_000)
  await rpc(target, 'dag/import', [{ name: 'a.car', content: Buffer.concat(pieces) }])
  await rpc(target, `pin/rm?arg=${root}`)

  const lines = await Promise.all([rpcLines<Collected>(target, 'repo/gc'), rpcLines<Collected>(target, 'repo/gc')])

  const taken = lines.flat().map(({ Key }) => Key['/'])
  t.equal(taken.length, 3_004)
  t.equal(new Set(taken).size, 3_004)
})

t.test('a collection makes the repo smaller', async t => {
  await using folder = await temporaryFolder()
  await using daemon = await start(folder.path)
  const target = daemon.address()
  const size = async (): Promise<number> => (JSON.parse(await rpc(target, 'repo/stat?size-only=true')) as { RepoSize: number }).RepoSize
  const before = await size()
  const [added] = await rpcLines<{ Hash: string }>(target, 'add', [{ name: 'f', content: Buffer.alloc(5_000_000, 'large') }])
  await rpc(target, `pin/rm?arg=${added!.Hash}`)

  await rpc(target, 'repo/gc')

  t.ok(await size() < before + 1_000_000)
})

t.test('of three thousand pins one is updated and removed as if it were alone, and each kind is listed', async t => {
  await using folder = await temporaryFolder()
  await using daemon = await start(folder.path)
  const target = daemon.address()
  const { root, pieces } = wideCar(3_000)
  await rpc(target, 'dag/import', [{ name: 'a.car', content: Buffer.concat(pieces) }])
  const leaves = (await rpcLines<{ Ref: string }>(target, `refs?recursive=true&arg=${root}`)).map(({ Ref }) => Ref).filter(cid => cid.startsWith('bafkrei'))
  for (let at = 0; at < leaves.length; at += 200) await rpc(target, `pin/add?name=leaf&${leaves.slice(at, at + 200).map(cid => `arg=${cid}`).join('&')}`)

  await rpc(target, `pin/update?arg=${leaves[0]!}&arg=QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn`).catch((err: Error) => t.match(err.message, /already recursively pinned/))
  await rpc(target, `pin/rm?arg=${leaves[1]!}`)
  await rpc(target, `pin/add?recursive=false&arg=${leaves[1]!}`)

  const count = async (type: string): Promise<number> => (await rpcLines(target, `pin/ls?stream=true&type=${type}`)).length
  t.strictSame([await count('recursive'), await count('direct'), await count('indirect')], [3_001, 1, 3])
  t.equal((await rpcLines(target, 'pin/ls?stream=true&names=true&name=leaf')).length, 2_999)
})
