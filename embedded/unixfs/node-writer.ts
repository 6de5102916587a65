import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { codes } from '../dag/codecs.ts'
import { cidOf, hashByName, identityDigestBytesMax } from '../dag/hashes.ts'
import type { Hash } from '../dag/hashes.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { varint } from '../dag/protobuf.ts'
import { encodeUnixfs, unixfsPieces } from './data.ts'
import type { Mtime, UnixfsData, UnixfsType } from './data.ts'

/** A node that has been written: what a parent has to know of it. */
export interface Written {
  readonly cid: CID
  /** Its block and all below it; blocks that occur twice count twice. */
  readonly totalSize: bigint
  /** Bytes of content below it. */
  readonly fileSize: bigint
}

/** Permissions and time of a file or directory. */
export interface Metadata { readonly mode?: number, readonly mtime?: Mtime }

export interface NamedLink { readonly name: string, readonly node: Written }

/** Turns content into blocks with CIDs as asked for, and hands them on. */
export interface NodeWriter {
  readonly rawLeaves: boolean
  leaf (bytes: Uint8Array, type: Extract<UnixfsType, 'file' | 'raw'>, metadata?: Metadata): Promise<Written>
  /** A node of a file: its content is its children's, in order. */
  inner (children: readonly Written[], metadata?: Metadata): Promise<Written>
  node (data: UnixfsData, links: readonly NamedLink[]): Promise<Written>
  /** How many bytes the block of such a node would have. */
  sizeOf (data: UnixfsData, links: readonly NamedLink[]): number
}

export interface NodeLayout {
  readonly cidVersion: 0 | 1
  readonly rawLeaves: boolean
  readonly hash: Hash
  /** Blocks up to so many bytes are put into their CIDs. */
  readonly inlineBytesMax: number | undefined
}

export function createNodeWriter ({ cidVersion, rawLeaves, hash, inlineBytesMax }: NodeLayout, put: (cid: CID, bytes: Uint8Array) => Promise<void>): NodeWriter {
  const identity = hashByName('identity')!
  const write = async (bytes: Uint8Array, codec: number, version: 0 | 1): Promise<CID> => {
    const isInlined = inlineBytesMax !== undefined && bytes.length <= inlineBytesMax
    if (hash === identity && bytes.length > identityDigestBytesMax) throw new KuboError(`digest too large: identity digest got ${bytes.length} bytes, maximum ${identityDigestBytesMax}`)
    const cid = cidOf(bytes, isInlined ? { version: 1, codec, hash: identity } : { version, codec, hash })
    await put(cid, bytes)
    return cid
  }
  const encode = (data: UnixfsData, links: readonly NamedLink[]): Uint8Array => links.length === 0 ? encodeLeaf(data) : dagPb.encode({
    Data: encodeUnixfs(data),
    Links: links.map(({ name, node }) => ({ Hash: node.cid, Name: name, Tsize: Number(node.totalSize) }))
  })
  const writeNode: NodeWriter['node'] = async (data, links) => {
    const bytes = encode(data, links)
    const cid = await write(bytes, codes['dag-pb'], cidVersion)
    const totalSize = links.reduce((sum, { node }) => sum + node.totalSize, BigInt(bytes.length))
    return { cid, totalSize, fileSize: data.fileSize ?? 0n }
  }

  return {
    rawLeaves,
    async leaf (bytes, type, metadata = {}) {
      const fileSize = BigInt(bytes.length)
      if (rawLeaves) return { cid: await write(bytes, codes.raw, 1), totalSize: fileSize, fileSize }
      return await writeNode({ type, ...bytes.length === 0 ? {} : { data: bytes }, fileSize, ...metadata }, [])
    },
    async inner (children, metadata = {}) {
      const blockSizes = children.map(({ fileSize }) => fileSize)
      const fileSize = blockSizes.reduce((sum, size) => sum + size, 0n)
      return await writeNode({ type: 'file', fileSize, blockSizes, ...metadata }, children.map(node => ({ name: '', node })))
    },
    node: writeNode,
    sizeOf: (data, links) => encode(data, links).length
  }
}

const dataTag = Buffer.of(1 << 3 | 2)

/** A dag-pb node without links is nothing but its `Data`: most of what a large file is made of, so it is put together in one go. */
function encodeLeaf (data: UnixfsData): Uint8Array {
  const pieces = unixfsPieces(data)
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return Buffer.concat([dataTag, varint(BigInt(length)), ...pieces])
}
