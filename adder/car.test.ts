import t from 'tap'
import { encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { MultipartError } from '../cluster/api/kubo/multipart.ts'
import { readCar } from './car.ts'
import { sha256Cid } from './leaf-blocks.ts'

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push(rest % 0x80 | 0x80)
  return Buffer.from([...bytes, rest])
}
const section = (...pieces: Uint8Array[]): Buffer => Buffer.concat([varint(pieces.reduce((sum, piece) => sum + piece.length, 0)), ...pieces])
const header = (roots: readonly CID[], version = 1): Buffer => section(encode({ roots, version }))
const raw = (text: string): { cid: CID, bytes: Buffer } => ({ cid: sha256Cid(1, 0x55, Buffer.from(text)), bytes: Buffer.from(text) })
const blockSection = ({ cid, bytes }: { cid: CID, bytes: Uint8Array }): Buffer => section(cid.bytes, bytes)
const [one, two] = [raw('one'), raw('two')]

async function * inPieces (bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function readAll (bytes: Buffer, { size = 7, allowBigBlock = false } = {}): Promise<{ roots: string[], blocks: string[] } | undefined> {
  const car = await readCar(inPieces(bytes, size), { allowBigBlock })
  if (car === undefined) return undefined
  const blocks: string[] = []
  for await (const some of car.blocks) for (const { cid, bytes } of some) blocks.push(`${cid} ${Buffer.from(bytes).toString()}`)
  return { roots: car.roots.map(String), blocks }
}

const v1 = Buffer.concat([header([one.cid]), blockSection(one), blockSection(two)])
const wanted = { roots: [one.cid.toString()], blocks: [`${one.cid} one`, `${two.cid} two`] }

for (const size of [1, 3, 1_000]) {
  t.test(`version 1 is read, whatever the pieces it comes in (${size} bytes)`, async t => {
    t.strictSame(await readAll(v1, { size }), wanted)
  })
}

t.test('version 2 is read, without its padding and its index', async t => {
  const fields = Buffer.alloc(40)
  fields.writeBigInt64LE(61n, 16)
  fields.writeBigInt64LE(BigInt(v1.length), 24)
  fields.writeBigInt64LE(BigInt(61 + v1.length), 32)
  const v2 = Buffer.concat([section(encode({ version: 2 })), fields, Buffer.alloc(10), v1, Buffer.from('an index')])

  t.strictSame(await readAll(v2), wanted)
})

t.test('an empty part is nothing', async t => {
  t.equal(await readAll(Buffer.alloc(0)), undefined)
})

const identity = { cid: CID.createV1(0x55, Digest.create(0x00, Buffer.from('inline'))), bytes: Buffer.from('inline') }
const unknownHash = { cid: CID.createV1(0x55, Digest.create(0x1e, new Uint8Array(32))), bytes: Buffer.from('blake3, says who') }
t.test('identity blocks are checked, and unknown hash functions left to the daemon', async t => {
  t.strictSame((await readAll(Buffer.concat([header([]), blockSection(identity), blockSection(unknownHash)])))?.blocks.length, 2)
})

const lying = { cid: two.cid, bytes: Buffer.from('tow') }
const big = (() => { const bytes = Buffer.alloc((2 << 20) + 1); return { cid: sha256Cid(1, 0x55, bytes), bytes } })()
const longCid = { cid: CID.createV1(0x55, Digest.create(0x12, new Uint8Array(300))), bytes: Buffer.from('x') }
const tooInline = { cid: CID.createV1(0x55, Digest.create(0x00, new Uint8Array(129))), bytes: Buffer.alloc(129) }
const bad: readonly (readonly [string, Buffer, string])[] = [
  ['a wrong hash', Buffer.concat([header([]), blockSection(one), blockSection(lying)]), `import failed after block "${one.cid}": mismatch in content integrity, expected: ${two.cid}, got: ${sha256Cid(1, 0x55, Buffer.from('tow'))}`],
  ['a CID of over 256 bytes whose digest is not there', Buffer.concat([header([]), blockSection(longCid)]), 'import failed: mismatch in content integrity'],
  ['an identity CID of over 128 bytes', Buffer.concat([header([]), blockSection(tooInline)]), 'digest too large: identity digest got 129 bytes, maximum 128'],
  ['a cut in a block', v1.subarray(0, -1), `import failed after block "${one.cid}": unexpected EOF`],
  ['a cut in the header', v1.subarray(0, 9), 'unexpected EOF'],
  ['another version', header([], 3), 'invalid car version: 3'],
  ['garbage', section(Buffer.from([0xf7, 0x13, 0x03])), 'invalid car version: 0'],
  ['a zero at the end', Buffer.concat([v1, Buffer.from([0])]), `import failed after block "${two.cid}": invalid cid: varints malformed, could not reach the end`],
  ['a header that announces 1 TiB', varint(2 ** 40), 'invalid header data, length of read beyond allowable maximum'],
  ['a section that announces 1 TiB', Buffer.concat([header([]), blockSection(one), varint(2 ** 40)]), `import failed after block "${one.cid}": invalid section data, length of read beyond allowable maximum`],
  ['a block over 2 MiB', Buffer.concat([header([]), blockSection(big)]), `import failed at block "${big.cid}": produced block is over 2MiB`],
  ['a CID of another version', Buffer.concat([header([]), section(Buffer.from([5, 0x55, 0x12, 0x20]))]), 'import failed: invalid cid: expected 1 as the cid version number, got: 5']
]

for (const [what, bytes, message] of bad) {
  t.test(`${what} is refused in Kubo's words`, async t => {
    for (const size of [7, 1 << 20]) await t.rejects(readAll(bytes, { size }), new RegExp(message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  })
}

t.test('a block comes with its section, its length and CID before it, however the CAR was cut', async t => {
  for (const size of [1, 7, 1_000]) {
    const car = await readCar(inPieces(v1, size), { allowBigBlock: false })

    const blocks = (await Array.fromAsync(car!.blocks)).flat()

    t.strictSame(Buffer.concat(blocks.map(({ section }) => section!)), Buffer.concat([blockSection(one), blockSection(two)]))
  }
})

t.test('what its destination checks is not checked here', async t => {
  const car = await readCar(inPieces(Buffer.concat([header([]), blockSection(lying)]), 7), { allowBigBlock: false, isCheckedLater: true })

  t.strictSame((await Array.fromAsync(car!.blocks)).flat().map(({ cid, bytes }) => [cid.toString(), Buffer.from(bytes).toString()]), [[two.cid.toString(), 'tow']])
})

t.test('a block over 2 MiB is taken when that is allowed', async t => {
  const read = await readAll(Buffer.concat([header([]), blockSection(big)]), { size: 65_536, allowBigBlock: true })

  t.equal(read?.blocks.length, 1)
})

t.test('an upload that is cut between two blocks is not taken for a whole CAR', async t => {
  const cut = (async function * () { yield v1; throw new MultipartError('unexpected EOF', { cut: true }) })()
  const car = await readCar(cut, { allowBigBlock: false })

  await t.rejects(Array.fromAsync(car!.blocks), { message: `import failed after block "${two.cid}": unexpected EOF` })
})
