/** MFS: one directory tree that changes. Every change writes the nodes from its place up to the root anew, then names the new root; a crash leaves the one or the other. */
import { CID } from 'multiformats/cid'
import type { BlockService, ReadOptions } from '../dag/block-service.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { createPinLock } from '../store/pin-lock.ts'
import type { PinLock } from '../store/pin-lock.ts'
import type { Stores } from '../store/stores.ts'
import type { DirectoryLayout } from '../unixfs/directory.ts'
import type { Written } from '../unixfs/node-writer.ts'
import { findEntry, NoSuchFileError, rewritten, withEntry } from './folder.ts'
import { formatOf, loadNode, writerFor } from './mfs-node.ts'
import type { FolderTools } from './folder.ts'
import type { CidFormat, FolderNode, MfsNode } from './mfs-node.ts'
import { segmentsOf } from './paths.ts'

const rootKey = 'mfs-root'
/** Kubo's `Internal.MFSNoFlushLimit`. */
const unflushedMax = 256

export interface MfsTree {
  /** A collection keeps what is below it. */
  root (): CID
  /** @throws NoSuchFileError, KuboError in boxo's words */
  lookup (path: string, options: ReadOptions): Promise<MfsNode>
  /** @throws KuboError saying `refusal` when it is something else */
  lookupFolder (path: string, options: ReadOptions, refusal: string): Promise<FolderNode>
  child (folder: FolderNode, name: string, options: ReadOptions): Promise<MfsNode>
  /** Puts `entry` at a path whose directory is there, in place of what is there; nothing takes it away. */
  put (path: string, entry: Written | undefined, options: ReadOptions): Promise<void>
  /** Gives what is at `path` another node, the root included. */
  replace (path: string, change: (node: MfsNode) => Promise<Written>, options: ReadOptions): Promise<void>
  /** Writes an empty directory; it is nowhere yet. */
  emptyFolder (format: CidFormat): Promise<Written>
  /** What changes the tree does so in turn, and holds the lock against collections before. */
  turn (options: Pick<ReadOptions, 'signal'>): Promise<Disposable>
  /** Only one writes to a file at a time. */
  writing (path: string, options: Pick<ReadOptions, 'signal'>): Promise<Disposable>
  /** Counts the changes that were not to be kept at once. @throws KuboError when they are too many */
  countUnflushed (flush: boolean): void
}

/** @throws KuboError when the root that was kept is not here */
export async function openMfs ({ own }: Pick<Stores, 'own'>, blocks: BlockService, rootFormat: CidFormat, layout: DirectoryLayout): Promise<MfsTree> {
  const turns = createPinLock()
  const writers = new Map<string, { readonly lock: PinLock, users: number }>()
  let unflushed = 0
  let root = await openRoot(own.get(rootKey), blocks, rootFormat)

  const toolsFor = (format: CidFormat, options: ReadOptions): FolderTools => ({ blocks, options, layout, writer: writerFor(format, false, blocks) })
  const child: MfsTree['child'] = async (folder, name, options) => {
    const { cid } = await findEntry(folder, name, { blocks, options })
    return await loadNode(cid, blocks, options)
  }
  /** Every node on the way, the root first. */
  const chain = async (segments: readonly string[], options: ReadOptions): Promise<readonly MfsNode[]> => {
    let node = await loadNode(root, blocks, options)
    const nodes = [node]
    for (const [i, segment] of segments.entries()) {
      if (node.kind !== 'directory') throw new KuboError(`cannot access ${segments.slice(0, i + 1).join('/')}: Not a directory`)
      node = await child(asFolder(node), segment, options)
      nodes.push(node)
    }
    return nodes
  }
  const setRoot = async (written: Written): Promise<void> => {
    root = written.cid
    await own.put(rootKey, root.bytes)
  }
  const put = async (segments: readonly string[], entry: Written | undefined, options: ReadOptions): Promise<void> => {
    const folders = await chain(segments.slice(0, -1), options)
    let below = entry
    for (let depth = folders.length - 1; depth >= 0; depth--) {
      const folder = folders[depth]!
      if (folder.kind !== 'directory') throw new KuboError(`cannot access ${segments.join('/')}: Not a directory`)
      const format = depth === 0 ? rootFormat : formatOf(folder.written.cid)
      below = await withEntry(asFolder(folder), segments[depth]!, below, toolsFor(format, options))
    }
    await setRoot(below!)
  }

  return {
    root: () => root,
    async lookup (path, options) { return (await chain(segmentsOf(path), options)).at(-1)! },
    async lookupFolder (path, options, refusal) {
      const node = (await chain(segmentsOf(path), options)).at(-1)!
      if (node.kind !== 'directory') throw new KuboError(refusal)
      return asFolder(node)
    },
    child,
    async put (path, entry, options) { await put(segmentsOf(path), entry, options) },
    async replace (path, change, options) {
      const segments = segmentsOf(path)
      const written = await change((await chain(segments, options)).at(-1)!)
      await (segments.length === 0 ? setRoot(written) : put(segments, written, options))
    },
    async emptyFolder (format) { return await writerFor(format, false, blocks).node({ type: 'directory' }, []) },
    turn: options => turns.forCollecting(options),
    async writing (path, options) {
      const key = segmentsOf(path).join('/')
      const writer = writers.get(key) ?? { lock: createPinLock(), users: 0 }
      writers.set(key, writer)
      writer.users++
      const leave = (): void => { if (--writer.users === 0) writers.delete(key) }
      try {
        const alone = await writer.lock.forCollecting(options)
        return { [Symbol.dispose] () { alone[Symbol.dispose](); leave() } }
      } catch (err) {
        leave()
        throw err
      }
    },
    countUnflushed (flush) {
      if (flush) unflushed = 0
      else if (unflushed >= unflushedMax) {
        throw new KuboError(`reached limit of ${unflushedMax} unflushed MFS operations. To resolve: 1) run 'ipfs files flush' to persist changes, 2) use --flush=true (default), or 3) increase Internal.MFSNoFlushLimit in config`)
      } else unflushed++
    }
  }
}

export function asFolder (node: MfsNode): FolderNode {
  if (node.kind !== 'directory') throw new NoSuchFileError()
  return { ...node, kind: 'directory' }
}

/** An empty tree at first; a kept root takes on the format that the settings ask for now. */
async function openRoot (kept: Uint8Array | undefined, blocks: BlockService, format: CidFormat): Promise<CID> {
  const writer = writerFor(format, false, blocks)
  if (kept === undefined) return (await writer.node({ type: 'directory' }, [])).cid
  const node = await loadNode(CID.decode(kept), blocks, { signal: new AbortController().signal, offline: true })
  return (await rewritten(asFolder(node), {}, writer)).cid
}
