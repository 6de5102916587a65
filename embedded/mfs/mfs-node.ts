import type * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { isDagPb } from '../dag/block-service.ts'
import type { BlockService, ReadOptions } from '../dag/block-service.ts'
import { codes, requireCodec } from '../dag/codecs.ts'
import { hashByCode, hashByName, identityDigestBytesMax } from '../dag/hashes.ts'
import type { Hash } from '../dag/hashes.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { decodeUnixfs } from '../unixfs/data.ts'
import type { UnixfsData } from '../unixfs/data.ts'
import { createNodeWriter } from '../unixfs/node-writer.ts'
import type { NamedLink, NodeWriter, Written } from '../unixfs/node-writer.ts'

/** What an entry of MFS is: a directory that can be changed, or content. Symbolic links count as content. */
export type MfsNode =
  | { readonly kind: 'raw', readonly written: Written, readonly bytes: Uint8Array }
  | { readonly kind: 'file' | 'directory', readonly written: Written, readonly bytes: Uint8Array, readonly data: UnixfsData, readonly links: readonly NamedLink[] }

export type FolderNode = Extract<MfsNode, { kind: 'file' | 'directory' }> & { readonly kind: 'directory' }

/** How a node's CID is made, which what takes the node's place keeps. */
export interface CidFormat { readonly cidVersion: 0 | 1, readonly hash: Hash }

/** @throws KuboError for what cannot be an entry of MFS, in boxo's words */
export async function loadNode (cid: CID, blocks: BlockService, options: ReadOptions): Promise<MfsNode> {
  const bytes = await blocks.get(cid, options)
  if (cid.code === codes.raw) return { kind: 'raw', bytes, written: { cid, totalSize: BigInt(bytes.length), fileSize: BigInt(bytes.length) } }
  if (!isDagPb(cid)) throw new KuboError('unrecognized node type in cache node')
  const { Data = new Uint8Array(), Links } = requireCodec(cid.code).decode(bytes) as dagPb.PBNode
  const data = decodeUnixfs(Data)
  if (data.type === 'metadata') throw new KuboError('not yet implemented')
  const links = Links.map(({ Name = '', Hash, Tsize = 0 }) => ({ name: Name, node: { cid: Hash, totalSize: BigInt(Tsize), fileSize: 0n } }))
  const totalSize = links.reduce((sum, { node }) => sum + node.totalSize, BigInt(bytes.length))
  const written = { cid, totalSize, fileSize: contentSize(data) }
  return { kind: data.type === 'directory' || data.type === 'shard' ? 'directory' : 'file', written, bytes, data, links }
}

/** Bytes of content, as boxo counts them: none for a directory. */
export function contentSize ({ type, data, fileSize = 0n }: UnixfsData): bigint {
  if (type === 'file' || type === 'raw') return fileSize
  return type === 'symlink' ? BigInt(data?.length ?? 0) : 0n
}

/** @throws KuboError for a hash that nothing can be written with here */
export function formatOf ({ version, multihash }: CID): CidFormat {
  const hash = hashByCode(multihash.code)
  if (hash === undefined) throw new KuboError(`unknown multihash code ${multihash.code}`)
  return { cidVersion: version, hash }
}

/** Writes nodes in `format`; one that outgrows a CID of its own bytes gets a hash, but for a raw block. */
export function writerFor ({ cidVersion, hash }: CidFormat, rawLeaves: boolean, blocks: BlockService): NodeWriter {
  const create = (hash: Hash): NodeWriter => createNodeWriter({ cidVersion, rawLeaves, hash, inlineBytesMax: undefined }, (cid, bytes) => blocks.put(cid, bytes))
  const writer = create(hash)
  if (hash.name !== 'identity') return writer
  const hashing = create(hashByName('sha2-256')!)
  const fits = (bytes: number): boolean => bytes <= identityDigestBytesMax
  return {
    ...writer,
    leaf: async (bytes, type, metadata) => await (rawLeaves || fits(writer.sizeOf({ type, data: bytes, fileSize: BigInt(bytes.length) }, [])) ? writer : hashing).leaf(bytes, type, metadata),
    node: async (data, links) => await (fits(writer.sizeOf(data, links)) ? writer : hashing).node(data, links)
  }
}
