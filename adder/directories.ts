import { importer } from 'ipfs-unixfs-importer'
import type { ImporterOptions, InProgressImportResult } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import { toGoBytes } from '../cluster/api/kubo/go-text.ts'
import type { Block } from '../cluster/ports.ts'
import { encodeDirectory } from './directory-node.ts'
import { sha256Cid } from './leaf-blocks.ts'
import { hasMetadata, metadataFields, withMetadata } from './unixfs.ts'
import type { TakeBlock, UnixfsMetadata, UnixfsNode } from './unixfs.ts'
import { UploadError } from './upload-error.ts'

/** How Kubo was asked to build directories. */
export interface DirectoryLayout {
  readonly cidVersion: 0 | 1
  /** A directory whose estimated size is larger becomes a HAMT. */
  readonly shardAboveBytes: number
  /** `links`: names and CIDs alone, Kubo's old way; `block`: the block as it would be. */
  readonly sizeEstimation: 'links' | 'block'
  /** Of a HAMT node; a power of two. */
  readonly hamtFanout: number
}

/** A directory while it is being filled. */
export interface Directory {
  readonly metadata: UnixfsMetadata
  readonly children: Map<string, UnixfsNode | Directory>
  /** Whether the upload had anything below it, kept or not: only then `empty-dirs=false` keeps it. */
  hadEntries: boolean
}

export const newDirectory = (metadata: UnixfsMetadata): Directory => ({ metadata, children: new Map(), hadEntries: false })
const isDirectory = (child: UnixfsNode | Directory): child is Directory => 'children' in child
const dagPbCode = 0x70

/** The directory at `path` below `root`, made with its parents if it is not there. @throws Error in Kubo's words when a file is in the way */
export function openDirectory (root: Directory, path: string, metadata: UnixfsMetadata, parentMetadata: UnixfsMetadata): Directory {
  let at = root
  const steps = path.split('/')
  for (const [i, step] of steps.entries()) {
    at.hadEntries = true
    const found = at.children.get(step)
    if (found !== undefined && !isDirectory(found)) throw new UploadError(i === steps.length - 1 ? 'file already exists' : `${steps.slice(0, i).join('/')} was not a directory`)
    const next = found ?? newDirectory(i === steps.length - 1 ? metadata : parentMetadata)
    at.children.set(step, next)
    at = next
  }
  return at
}

/** Puts a node into its directory. @throws Error in Kubo's words when the name is taken */
export function putNode (directory: Directory, name: string, node: UnixfsNode): void {
  directory.hadEntries = true
  if (directory.children.has(name)) throw new UploadError('directory already has entry by that name')
  directory.children.set(name, node)
}

/**
 * Builds a directory and all below it, deepest first, names in the order of their bytes, and tells of each as it is done.
 * `path` is the directory's own name in what is told.
 */
export async function buildDirectory (
  directory: Directory, path: string, layout: DirectoryLayout & { readonly keepEmpty: boolean }, take: TakeBlock, tell: (path: string, node: UnixfsNode) => Promise<void>
): Promise<UnixfsNode> {
  const links: Link[] = []
  for (const [name, child] of sorted(directory.children)) {
    if (isDirectory(child) && !layout.keepEmpty && !child.hadEntries) continue
    const childPath = path === '' ? name : `${path}/${name}`
    const node = isDirectory(child) ? await buildDirectory(child, childPath, layout, take, tell) : child
    links.push({ name, node })
  }
  const flat = encodeDirectory(directoryData(directory.metadata), links.map(({ name, node }) => ({ name, cid: node.cid, size: node.size })))
  const estimate = layout.sizeEstimation === 'block' ? flat.byteLength : links.reduce((sum, { name, node }) => sum + toGoBytes(name).byteLength + node.cid.byteLength, 0)
  const built = estimate > layout.shardAboveBytes
    ? await buildHamt(links, directory.metadata, layout, take)
    : await takeFlat(flat, links, layout.cidVersion, take)
  await tell(path, built)
  return built
}

interface Link { readonly name: string, readonly node: UnixfsNode }

function sorted<T> (children: ReadonlyMap<string, T>): [string, T][] {
  return [...children].map(child => ({ child, bytes: toGoBytes(child[0]) })).sort((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({ child }) => child)
}

/** `Data { Type: Directory }`, and its metadata: ipfs-unixfs would leave out a mode that is its own default. */
function directoryData (metadata: UnixfsMetadata): Uint8Array {
  return Buffer.concat([plainDirectory, metadataFields(metadata)])
}

const plainDirectory = Uint8Array.of(0x08, 0x01)

async function takeFlat (bytes: Uint8Array, links: readonly Link[], cidVersion: 0 | 1, take: TakeBlock): Promise<UnixfsNode> {
  const cid = sha256Cid(cidVersion, dagPbCode, bytes)
  await take({ cid, bytes })
  return { cid, size: links.reduce((sum, { node }) => sum + node.size, BigInt(bytes.byteLength)) }
}

/** The importer shards; the nodes below are there already, so its builder of files has nothing to do but hand them on. */
async function buildHamt (links: readonly Link[], metadata: UnixfsMetadata, { cidVersion, hamtFanout }: DirectoryLayout, take: TakeBlock): Promise<UnixfsNode> {
  const dagBuilder: NonNullable<ImporterOptions['dagBuilder']> = async function * () {
    for (const { name, node } of links) yield async (): Promise<InProgressImportResult> => ({ path: name, cid: node.cid, size: node.size })
  }
  let root: Block | undefined
  const store = {
    async put (cid: CID, bytes: Uint8Array) {
      if (root !== undefined) await take(root)
      root = { cid, bytes }
      return cid
    }
  }
  const results = await Array.fromAsync(importer([], store, {
    dagBuilder, wrapWithDirectory: true, cidVersion, rawLeaves: cidVersion === 1, fileImportConcurrency: 1, blockWriteConcurrency: 1,
    shardSplitThresholdBytes: -1, shardSplitStrategy: 'links-bytes', shardFanoutBits: Math.log2(hamtFanout)
  }))
  const { cid, size } = results.at(-1)!
  if (!hasMetadata(metadata)) {
    await take(root!)
    return { cid, size: BigInt(size) }
  }
  const bytes = withMetadata(root!.bytes, metadata)
  const markedCid = sha256Cid(cidVersion, dagPbCode, bytes)
  await take({ cid: markedCid, bytes })
  return { cid: markedCid, size: BigInt(size) + BigInt(bytes.byteLength - root!.bytes.byteLength) }
}
