import { decode, encode } from '@ipld/dag-pb'
import { importer } from 'ipfs-unixfs-importer'
import { balanced } from 'ipfs-unixfs-importer/layout'
import type { CID } from 'multiformats/cid'
import type { Block } from '../cluster/ports.ts'
import { joined, leafBlocks, leafOf, sha256Cid, sizedChunks } from './leaf-blocks.ts'

/** A node that was built: what a directory links to, and what an event line reports. */
export interface UnixfsNode {
  readonly cid: CID
  /** Of the node and all below it, repeats counted each time: dag-pb's `Tsize`, Kubo's `Size`. */
  readonly size: bigint
}

/** How Kubo was asked to build files; everything is given, nothing is left to the importer's own defaults. */
export interface FileLayout {
  readonly cidVersion: 0 | 1
  readonly rawLeaves: boolean
  readonly chunkBytes: number
  readonly fileLinksMax: number
}

/** UnixFS 1.5: permissions and a time. Only what is there is stored; `modeBits` 0 is none, as in Kubo. */
export interface UnixfsMetadata {
  readonly modeBits: number
  readonly mtime: { readonly secs: bigint, readonly nsecs: number } | undefined
}

/** Takes blocks as they are made; a promise means wait before making the next. */
export type TakeBlock = (block: Block) => void | Promise<void>

export const noMetadata: UnixfsMetadata = Object.freeze({ modeBits: 0, mtime: undefined })
const dagPbCode = 0x70

/** Builds one file. Only its last, unfinished block is held in memory. */
export async function importFile (content: AsyncIterable<Uint8Array>, layout: FileLayout, metadata: UnixfsMetadata, take: TakeBlock): Promise<UnixfsNode> {
  const { root, size } = await buildFile(content, layout, take)
  const { cid } = root
  if (!hasMetadata(metadata)) {
    await take(root)
    return { cid, size }
  }
  const marked = withMetadata(root.bytes, metadata)
  const markedCid = sha256Cid(layout.cidVersion, dagPbCode, marked)
  await take({ cid: markedCid, bytes: marked })
  return { cid: markedCid, size: size + BigInt(marked.byteLength - root.bytes.byteLength) }
}

/** All blocks of a file but its root go to `take`. Most files are one leaf, for which the importer's machinery is not set up. */
async function buildFile (content: AsyncIterable<Uint8Array>, layout: FileLayout, take: TakeBlock): Promise<{ readonly root: Block, readonly size: bigint }> {
  const chunks = content[Symbol.asyncIterator]()
  const pieces: Uint8Array[] = []
  let length = 0
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    pieces.push(next.value)
    length += next.value.byteLength
    if (length > layout.chunkBytes) return await buildLongFile(resumed(pieces, chunks), layout, take)
  }
  const root = leafOf(joined(pieces, length), layout)
  return { root, size: BigInt(root.bytes.byteLength) }
}

async function buildLongFile (content: AsyncIterable<Uint8Array>, layout: FileLayout, take: TakeBlock): Promise<{ readonly root: Block, readonly size: bigint }> {
  const store = new OneBehind(take)
  const [imported] = await Array.fromAsync(importer([{ content }], store, importerOptions(layout)))
  // The root is the last block that is made.
  return { root: store.last!, size: imported!.size }
}

async function * resumed (pieces: readonly Uint8Array[], chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield * pieces
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
}

/** Kubo gives a symbolic link a time but no mode, and never raw leaves. */
export async function importSymlink (target: Uint8Array, cidVersion: 0 | 1, { mtime }: UnixfsMetadata, take: TakeBlock): Promise<UnixfsNode> {
  // An empty target is an empty field in Kubo; ipfs-unixfs would leave it out.
  const data = Buffer.concat([Uint8Array.from([0x08, 0x04, 0x12, ...varint(BigInt(target.byteLength))]), target])
  const plain = encode({ Data: data, Links: [] })
  const bytes = mtime === undefined ? plain : withMetadata(plain, { modeBits: 0, mtime })
  const cid = sha256Cid(cidVersion, dagPbCode, bytes)
  await take({ cid, bytes })
  return { cid, size: BigInt(bytes.byteLength) }
}

export function hasMetadata ({ modeBits, mtime }: UnixfsMetadata): boolean {
  return modeBits !== 0 || mtime !== undefined
}

/** The same node with permissions and time. They are the last fields of UnixFS data, so they can be put behind what is there. */
export function withMetadata (bytes: Uint8Array, metadata: UnixfsMetadata): Uint8Array {
  const node = decode(bytes)
  return encode({ ...node, Data: Buffer.concat([node.Data ?? new Uint8Array(), metadataFields(metadata)]) })
}

export function metadataFields ({ modeBits, mtime }: UnixfsMetadata): Uint8Array {
  const mode = modeBits === 0 ? [] : [0x38, ...varint(BigInt(modeBits & 0xfff))]
  if (mtime === undefined) return Uint8Array.from(mode)
  const nanos = Buffer.alloc(5, 0x15)
  nanos.writeUInt32LE(mtime.nsecs, 1)
  const time = [0x08, ...varint(BigInt.asUintN(64, mtime.secs)), ...mtime.nsecs === 0 ? [] : nanos]
  return Uint8Array.from([...mode, 0x42, ...varint(BigInt(time.length)), ...time])
}

/** A fresh object each time: the importer writes into the options it is given. */
function importerOptions ({ cidVersion, rawLeaves, chunkBytes, fileLinksMax }: FileLayout): Parameters<typeof importer>[2] {
  return {
    cidVersion,
    rawLeaves,
    leafType: 'file',
    reduceSingleLeafToSelf: true,
    layout: balanced({ maxChildrenPerNode: fileLinksMax }),
    chunker: sizedChunks(chunkBytes),
    bufferImporter: leafBlocks({ rawLeaves, cidVersion }),
    wrapWithDirectory: false,
    fileImportConcurrency: 1, // more read several parts of one upload at once, and made some of them empty
    blockWriteConcurrency: 1,
    shardSplitThresholdBytes: 262_144,
    shardSplitStrategy: 'links-bytes',
    shardFanoutBits: 8
  }
}

/** A blockstore that keeps the newest block back, because a root with metadata takes the place of the one the importer makes. */
class OneBehind {
  readonly #take: TakeBlock
  last: Block | undefined

  constructor (take: TakeBlock) {
    this.#take = take
  }

  async put (cid: CID, bytes: Uint8Array): Promise<CID> {
    const before = this.last
    this.last = { cid, bytes }
    if (before !== undefined) await this.#take(before)
    return cid
  }
}

/** Protobuf's. */
export function varint (value: bigint): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return bytes
}
