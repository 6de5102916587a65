import type * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { isDagPb } from './block-service.ts'
import type { BlockService, ReadOptions } from './block-service.ts'
import { parsePath } from './cid-text.ts'
import type { IpfsPath } from './cid-text.ts'
import { goKind, requireCodec } from './codecs.ts'
import { parsePeerId } from '../network/peer-ids.ts'
import { decodeUnixfs } from '../unixfs/data.ts'
import { findInShards, isShard } from '../unixfs/shards.ts'

/** Where a path ends: at a node, or at a value within it that `remainder` leads to. */
export interface Resolved { readonly cid: CID, readonly remainder: readonly string[] }

/** @throws KuboError `no link named …`, `key not found: …`; for an IPNS name, which needs routing */
export async function resolveArgument (argument: string, blocks: BlockService, options: ReadOptions): Promise<Resolved> {
  const path = parsePath(argument)
  if (path.namespace === 'ipns') throw unresolvable(path.text)
  return await resolvePath(path, blocks, options)
}

export async function resolvePath ({ namespace, root, segments }: Omit<IpfsPath, 'text'>, blocks: BlockService, options: ReadOptions): Promise<Resolved> {
  let cid = root
  let rest = segments
  while (rest.length > 0) {
    const bytes = await blocks.get(cid, options)
    if (isDagPb(cid) && namespace !== 'ipld') {
      cid = await child(cid, bytes, rest, blocks, options)
      rest = rest.slice(1)
      continue
    }
    const found = follow(requireCodec(cid.code).decode(bytes), rest, cid)
    if (found.link === undefined) return { cid, remainder: rest }
    cid = found.link
    rest = found.rest
  }
  return { cid, remainder: [] }
}

/** What a remainder leads to within a node. */
export function valueAt (node: unknown, remainder: readonly string[]): unknown {
  return remainder.reduce((value, segment) => step(value, segment), node)
}

async function child (parent: CID, bytes: Uint8Array, [name = '', ...rest]: readonly string[], blocks: BlockService, options: ReadOptions): Promise<CID> {
  const node = requireCodec(parent.code).decode(bytes) as dagPb.PBNode
  const found = isShard(node) ? await findInShards(node, name, blocks, options) : node.Links.find(({ Name }) => Name === name)?.Hash
  if (found !== undefined) return found
  throw isFile(node) && rest.length === 0 ? wrongKind(node.Links.length === 0 ? 'data.Bytes' : '') : noLink(name, parent)
}

function isFile ({ Data }: dagPb.PBNode): boolean {
  if (Data === undefined) return false
  const { type } = decodeUnixfs(Data)
  return type === 'file' || type === 'raw'
}

function noLink (name: string, parent: CID, cause?: unknown): KuboError {
  return new KuboError(`no link named ${quoteGo(name)} under ${parent.toString()}`, { cause })
}

/** What go-ipld-prime says of a step into what has no inside; of a file in several blocks it knows less. */
function wrongKind (kind: string): KuboError {
  if (kind === '') return new KuboError('func called on wrong kind: "" called on a INVALID node, but only makes sense on <empty KindSet>')
  const bare = kind.replace('data.Bytes', 'bytes')
  return new KuboError(`func called on wrong kind: "LookupBySegment" called on a ${kind} node (kind: ${bare}), but only makes sense on map or list`)
}

/** A name that is a key may be somebody's; any other is looked up in the DNS, which this daemon does not ask. */
export function unresolvable (path: string): KuboError {
  const [, , name = ''] = path.split('/')
  if (isKeyName(name)) return new KuboError('could not resolve name')
  return new KuboError(`DNSLink lookup for ${quoteGo(`${name}.`)} failed: could not resolve name: DNSLink lookup could not find a TXT record (https://docs.ipfs.tech/concepts/dnslink/)`)
}

function isKeyName (name: string): boolean {
  try {
    parsePeerId(name)
    return true
  } catch {
    return false
  }
}

/** Goes down until there is a link to follow or nothing left to go. */
function follow (node: unknown, segments: readonly string[], cid: CID): { link: CID | undefined, rest: readonly string[] } {
  let value = node
  for (const [i, segment] of segments.entries()) {
    if (i === 0 && isDagPb(cid) && segment !== 'Data' && segment !== 'Links') throw noLink(segment, cid)
    value = i === segments.length - 1 ? step(value, segment) : through(value, segment, cid)
    const link = CID.asCID(value)
    if (link !== null) return { link, rest: segments.slice(i + 1) }
  }
  return { link: undefined, rest: [] }
}

/** On the way Kubo says of every step that leads nowhere the same. */
function through (value: unknown, segment: string, cid: CID): unknown {
  try {
    return step(value, segment)
  } catch (err) {
    throw noLink(segment, cid, err)
  }
}

function step (value: unknown, segment: string): unknown {
  if (Array.isArray(value)) return item(value, segment)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) throw wrongKind(goKind(value))
  if (Object.hasOwn(value, segment)) return (value as Readonly<Record<string, unknown>>)[segment]
  throw new KuboError(`key not found: ${quoteGo(segment)}`)
}

function item (list: readonly unknown[], segment: string): unknown {
  if (!/^[+-]?\d+$/.test(segment)) throw new KuboError(`invalid segment for lookup on a list: ${quoteGo(segment)}: strconv.ParseInt: parsing ${quoteGo(segment)}: invalid syntax`)
  const index = Number(segment)
  if (index < 0) throw new KuboError('key not found: ""')
  if (index >= list.length) throw new KuboError(`key not found: ${quoteGo(String(index))}`)
  return list[index]
}
