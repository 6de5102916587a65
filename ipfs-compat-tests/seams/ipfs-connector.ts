/** What every `IpfsConnector` promises, on whichever daemon stands behind it. */
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import t from 'tap'
import type { Block, IpfsConnector } from '../../cluster/ports.ts'
import { cidOf, inlineCidOf, pinOf } from '../harness/pins.ts'

/** A connector on a fresh daemon that fetches nothing from anywhere. */
export type OpenConnector = () => Promise<AsyncDisposable & { readonly ipfs: IpfsConnector }>

const emptyDirectory = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'
const never = { signal: new AbortController().signal }

async function blockOf (text: string): Promise<Block> {
  const bytes = new TextEncoder().encode(text)
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

async function bring (ipfs: IpfsConnector, blocks: readonly Block[], roots: readonly CID[], name = ''): Promise<void> {
  await ipfs.importBlocks((async function * () { yield * blocks })(), Promise.resolve(roots.map(cid => ({ cid, name }))), never)
}

/** All pins but that of the empty directory, which a fresh Kubo has. */
async function pinsOf (ipfs: IpfsConnector): Promise<string[]> {
  const all = await Array.fromAsync(ipfs.pinLs(never))
  return all.filter(({ cid }) => cid.toString() !== emptyDirectory).map(({ cid, status, name }) => `${cid.toString()} ${status} ${name}`).sort()
}

export function ipfsConnectorSuite (kind: string, open: OpenConnector): void {
  const options = { timeout: 300_000 }

  t.test(`${kind}: what it pins is pinned under its name, and says so`, options, async t => {
    await using opened = await open()
    const pin = pinOf('a', { cid: inlineCidOf('a'), name: 'ein Name' })

    t.strictSame(await opened.ipfs.pinStatus(pin.cid, never), { status: 'unpinned', name: '' })
    await opened.ipfs.pin(pin, never)

    t.strictSame(await opened.ipfs.pinStatus(pin.cid, never), { status: 'recursive', name: 'ein Name' })
  })

  t.test(`${kind}: a pin again with another name, or none, renames it`, options, async t => {
    await using opened = await open()
    const cid = inlineCidOf('a')

    const names: string[] = []
    for (const name of ['one', 'two', '']) {
      await opened.ipfs.pin(pinOf('a', { cid, name }), never)
      names.push((await opened.ipfs.pinStatus(cid, never)).name)
    }

    t.strictSame(names, ['one', 'two', ''])
  })

  t.test(`${kind}: direct pins are pins`, options, async t => {
    await using opened = await open()
    const cid = inlineCidOf('direct')

    await opened.ipfs.pin(pinOf('direct', { cid, mode: 'direct', name: 'd' }), never)

    t.strictSame(await opened.ipfs.pinStatus(cid, never), { status: 'direct', name: 'd' })
    t.strictSame(await pinsOf(opened.ipfs), [`${cid.toString()} direct d`])
  })

  t.test(`${kind}: lists recursive and direct pins with their names`, options, async t => {
    await using opened = await open()
    for (const seed of ['a', 'b', 'c']) await opened.ipfs.pin(pinOf(seed, { cid: inlineCidOf(seed), name: seed, mode: seed === 'c' ? 'direct' : 'recursive' }), never)

    const found = await pinsOf(opened.ipfs)

    t.strictSame(found, ['a', 'b', 'c'].map(seed => `${inlineCidOf(seed).toString()} ${seed === 'c' ? 'direct' : 'recursive'} ${seed}`).sort())
  })

  t.test(`${kind}: unpins of whatever mode, and what is not pinned succeeds`, options, async t => {
    await using opened = await open()
    await opened.ipfs.pin(pinOf('r', { cid: inlineCidOf('r') }), never)
    await opened.ipfs.pin(pinOf('d', { cid: inlineCidOf('d'), mode: 'direct' }), never)

    for (const seed of ['r', 'd', 'never']) await opened.ipfs.unpin(inlineCidOf(seed), never)

    t.strictSame(await pinsOf(opened.ipfs), [])
  })

  t.test(`${kind}: the CIDv0 and the CIDv1 of the same content are two pins`, options, async t => {
    await using opened = await open()
    const v0 = CID.parse('QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n') // an empty protobuf block
    await bring(opened.ipfs, [{ cid: v0, bytes: new Uint8Array() }], [])

    await opened.ipfs.pin(pinOf('v0', { cid: v0 }), never)

    t.match(await opened.ipfs.pinStatus(v0, never), { status: 'recursive' })
    t.match(await opened.ipfs.pinStatus(v0.toV1(), never), { status: 'unpinned' })
  })

  t.test(`${kind}: content that cannot be found fails in the daemon's own words, or when it is given up`, options, async t => {
    await using opened = await open()

    const pinning = opened.ipfs.pin(pinOf('missing'), { signal: AbortSignal.timeout(3_000) })

    await t.rejects(pinning, { message: /could not find|timeout/ })
    t.match(await opened.ipfs.pinStatus(cidOf('missing'), never), { status: 'unpinned' })
  })

  t.test(`${kind}: a bare CID is what it is, a path is what the daemon says`, options, async t => {
    await using opened = await open()
    const block = await blockOf('content')
    await bring(opened.ipfs, [block], [])

    t.ok((await opened.ipfs.resolve(block.cid.toString(), never)).equals(block.cid))
    t.ok((await opened.ipfs.resolve(`/ipfs/${block.cid.toString()}`, never)).equals(block.cid))
    await t.rejects(opened.ipfs.resolve(`/ipfs/${block.cid.toString()}/no/such`, never), { code: 'ERR_IPFS_REPLIED' })
    await t.rejects(opened.ipfs.resolve('/ipfs/nonsense', never), { code: 'ERR_IPFS_REPLIED' })
  })

  t.test(`${kind}: imports blocks and pins their roots; what has no root is there but not pinned`, options, async t => {
    await using opened = await open()
    const [pinned, loose] = [await blockOf('pinned'), await blockOf('loose')]

    await bring(opened.ipfs, [pinned, loose], [pinned.cid], 'its name')

    t.strictSame(await opened.ipfs.pinStatus(pinned.cid, never), { status: 'recursive', name: 'its name' })
    t.match(await opened.ipfs.pinStatus(loose.cid, never), { status: 'unpinned' })
  })

  t.test(`${kind}: an import that is not agreed on pins nothing`, options, async t => {
    await using opened = await open()
    const block = await blockOf('refused')
    const refused = Promise.reject(new Error('the pin was refused'))
    refused.catch(() => undefined)

    await t.rejects(opened.ipfs.importBlocks((async function * () { yield block })(), refused, never), { message: 'the pin was refused' })

    t.match(await opened.ipfs.pinStatus(block.cid, never), { status: 'unpinned' })
  })

  t.test(`${kind}: says who it is and how full, and collects what is not pinned`, options, async t => {
    await using opened = await open()
    const [kept, loose] = [await blockOf('kept'), await blockOf('loose')]
    await bring(opened.ipfs, [kept, loose], [kept.cid])

    t.match(await opened.ipfs.id(never), { id: /^(12D3|Qm)/, error: '' })
    t.ok((await opened.ipfs.repoStat(never)).numObjects >= 2n)
    t.match(await opened.ipfs.repoStat({ ...never, sizeOnly: true }), { numObjects: 0n, repoPath: '', version: '' })
    const collected = await Array.fromAsync(opened.ipfs.repoGc(never))

    t.ok(collected.some(({ key }) => key !== '' && CID.parse(key).multihash.digest.every((byte, i) => byte === loose.cid.multihash.digest[i])))
    t.notOk(collected.some(({ key }) => key !== '' && CID.parse(key).multihash.digest.every((byte, i) => byte === kept.cid.multihash.digest[i])))
  })
}
