import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { create } from 'kubo-rpc-client'
import { CID } from 'multiformats/cid'
import t from 'tap'
import { startPeer } from './harness/peer.ts'

const nowhere = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
const binary = process.env['IPFS_BIN'] ?? ''

t.test('kubo-rpc-client through the proxy', async t => {
  await using peer = await startPeer()
  const ipfs = create({ url: `http://${peer.host}:${peer.port}` })

  await t.test('adds, reads, lists and names', async t => {
    const { cid } = await ipfs.add({ path: 'a.txt', content: Buffer.from('hello') })
    await ipfs.pin.add(cid, { name: 'greeting' })

    const pins = await Array.fromAsync(ipfs.pin.ls({ paths: cid, names: true }))

    t.match(pins, [{ type: 'recursive', name: 'greeting' }])
    t.equal(Buffer.concat(await Array.fromAsync(ipfs.cat(cid))).toString(), 'hello')
    t.match((await peer.cluster.state.get(cid))?.pin, { name: 'greeting' })
  })

  await t.test('what is unpinned and collected is gone', async t => {
    const { cid } = await ipfs.add(Buffer.from('gone'), { cidVersion: 1 })
    await ipfs.pin.rm(cid)

    const collected = await Array.fromAsync(ipfs.repo.gc())

    t.ok(collected.some(({ cid: gone }) => gone?.toString() === cid.toString()))
    t.notOk((await Array.fromAsync(ipfs.refs.local())).some(({ ref }) => ref === cid.toString()))
  })

  await t.test('a pin that cannot be had ends with a timeout and leaves nothing', async t => {
    await t.rejects(ipfs.pin.add(nowhere, { timeout: 300 }), { message: /context deadline exceeded/ })
    t.equal(await peer.cluster.state.get(nowhere), undefined)
  })

  await t.test('a client that gives up leaves nothing either', async t => {
    const controller = new AbortController()
    const pinning = ipfs.pin.add(nowhere, { signal: controller.signal })
    setImmediate(() => controller.abort())

    await t.rejects(pinning)
    await t.rejects(Array.fromAsync(ipfs.pin.ls({ paths: nowhere, type: 'recursive' })), { message: /is not pinned/ })
  })

  await t.test('numbers are whole', async t => {
    const { numObjects, storageMax, version } = await ipfs.repo.stat()

    t.type(numObjects, 'bigint')
    t.type(storageMax, 'bigint')
    t.match(version, /^fs-repo@/)
  })
})

t.test('the ipfs command line through the proxy', { skip: binary === '' && 'IPFS_BIN names no ipfs' }, async t => {
  await using peer = await startPeer()
  const folder = await mkdtemp(join(tmpdir(), 'quorum-cli-'))
  await writeFile(join(folder, 'a'), 'hello\n')
  const ipfs = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(binary, ['--api', `/ip4/${peer.host}/tcp/${peer.port}`, ...args], { env: { ...process.env, IPFS_PATH: join(folder, 'none') } })
    return stdout.trimEnd()
  }
  const cid = 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN'

  t.equal(await ipfs('add', '-q', join(folder, 'a')), cid)
  t.equal(await ipfs('pin', 'add', '--name=named', cid), `pinned ${cid} recursively`)
  t.equal(await ipfs('pin', 'ls', '--names', cid), `${cid} recursive named`)
  t.equal(await ipfs('cat', cid), 'hello')
  t.equal(await ipfs('pin', 'rm', cid), `unpinned ${cid}`)
  await t.rejects(ipfs('pin', 'rm', cid), /Error: not pinned or pinned indirectly/)
  await t.rejects(ipfs('pin', 'add', 'notacid'), /Error: invalid path "notacid": path does not have enough components/)
})
