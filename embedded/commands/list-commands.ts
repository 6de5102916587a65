import type { PBNode } from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { BlockNotFoundError } from '../dag/block-service.ts'
import type { ReadOptions } from '../dag/block-service.ts'
import { createBytesSet } from '../dag/bytes-set.ts'
import { codes, linksOf, requireCodec } from '../dag/codecs.ts'
import { fromUri, parseCid, parsePath } from '../dag/cid-text.ts'
import { cidKey } from '../dag/walk.ts'
import { resolveArgument, resolvePath } from '../dag/resolve.ts'
import { readOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { createCidEncoder } from '../rpc/cid-encoder.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'
import { goMode } from '../unixfs/go-mode.ts'
import { linkText, listText } from './list-text.ts'
import type { ListedLink, ListTextWay } from './list-text.ts'
import { listDirectory, openUnixfs } from '../unixfs/reader.ts'
import type { UnixfsNode } from '../unixfs/reader.ts'

const typeCodes = { directory: 1, file: 2, symlink: 4 } as const
const noTime = '0001-01-01T00:00:00Z'
const anyCid = CID.createV1(codes.raw, identity.digest(new Uint8Array()))

export function listCommands (node: EmbeddedNode): readonly Command[] {
  return [ls(node), refs(node), resolve(node)]
}

function ls (node: EmbeddedNode): Command {
  return command({
    path: 'ls',
    args: [{ name: 'ipfs-path', kind: 'string', required: true, variadic: true, stdin: true }],
    options: {
      headers: { type: 'bool', aliases: ['v'] },
      'resolve-type': { type: 'bool', fallback: true },
      size: { type: 'bool', fallback: true },
      stream: { type: 'bool', aliases: ['s'], fallback: false },
      long: { type: 'bool', aliases: ['l'] }
    },
    async run (call) {
      const resolveType = call.options['resolve-type'] || call.options.size
      call.showCid(anyCid) // refuses a base that there is not, also where nothing is to be shown
      if (call.options.stream) return { kind: 'many', values: streamed(node, call, resolveType) }
      const objects: { readonly hash: string, readonly links: readonly ListedLink[] }[] = []
      for (const argument of call.args) objects.push({ hash: argument, links: await Array.fromAsync(linksBelow(node, call, argument, resolveType)) })
      const json = objects.map(({ hash, links }) => ({ Hash: hash, Links: links.map(link => ({ ...link })) }))
      return { kind: 'one', value: line({ Objects: json }, () => listText(objects, textWay(node, call))) }
    }
  })
}

async function * streamed (node: EmbeddedNode, call: Call, resolveType: boolean): AsyncGenerator<Emitted> {
  for (const argument of call.args) {
    for await (const link of linksBelow(node, call, argument, resolveType)) yield line({ Objects: [{ Hash: argument, Links: [{ ...link }] }] }, () => linkText(link, textWay(node, call)))
  }
}

async function * linksBelow ({ blocks }: EmbeddedNode, call: Call, argument: string, resolveType: boolean): AsyncGenerator<ListedLink> {
  const options = readOptions(call)
  const { cid } = await resolveArgument(argument, blocks, options)
  for await (const { name, cid: child, totalSize } of entriesOf(cid, blocks, options)) {
    const known = resolveType ? await kindOf(child, totalSize, blocks, options) : undefined
    yield {
      Name: name,
      Hash: call.showCid(child),
      Size: known?.size ?? 0,
      Type: known?.type ?? 0,
      Target: known?.target ?? '',
      Mode: known?.mode ?? 0,
      ModTime: known?.mtime ?? noTime
    }
  }
}

function textWay ({ clock }: EmbeddedNode, { args, options }: Call): ListTextWay {
  const { headers, size, long } = options as Readonly<Record<string, unknown>>
  return { headers: headers === true, size: size !== false, long: long === true, isSeveral: args.length > 1, nowMs: clock.now() }
}

/** Entries of a directory, links of what is no UnixFS; a file has none to show. */
async function * entriesOf (cid: CID, blocks: EmbeddedNode['blocks'], options: ReadOptions): AsyncGenerator<{ name: string, cid: CID, totalSize: number }> {
  if (cid.code !== codes['dag-pb'] && cid.code !== codes.raw) {
    for (const link of linksOf(cid, await blocks.get(cid, options))) yield { ...link, totalSize: 0 }
    return
  }
  const node = await openUnixfs(cid, blocks, options)
  if (node.kind === 'directory') yield * listDirectory(node, blocks, options)
  else if (cid.code === codes['dag-pb']) yield * (await blockLinks(cid, blocks, options))
}

/** The pieces of a file, as its node names them. */
async function blockLinks (cid: CID, blocks: EmbeddedNode['blocks'], options: ReadOptions): Promise<readonly { name: string, cid: CID, totalSize: number }[]> {
  const { Links } = requireCodec(cid.code).decode(await blocks.get(cid, options)) as PBNode
  return Links.map(({ Name = '', Hash, Tsize = 0 }) => ({ name: Name, cid: Hash, totalSize: Tsize }))
}

/** Of a raw block the link tells all, so it need not be here. */
async function kindOf (cid: CID, totalSize: number, blocks: EmbeddedNode['blocks'], options: ReadOptions): Promise<{ size: number, type: number, target: string, mode: number, mtime: string }> {
  if (cid.code === codes.raw) return { size: totalSize, type: typeCodes.file, target: '', mode: 0, mtime: noTime }
  if (cid.code !== codes.raw && cid.code !== codes['dag-pb']) return { size: 0, type: 0, target: '', mode: 0, mtime: noTime }
  const node: UnixfsNode = await openUnixfs(cid, blocks, options)
  const { mode = 0, mtime } = node.data ?? {}
  return {
    size: node.kind === 'directory' ? 0 : node.size,
    type: typeCodes[node.kind],
    target: node.kind === 'symlink' ? node.target : '',
    mode: goMode({ type: node.data?.type ?? 'raw', mode }),
    mtime: mtime === undefined ? noTime : new Date(Number(mtime.seconds) * 1000).toISOString().replace('.000Z', 'Z')
  }
}

function refs (node: EmbeddedNode): Command {
  return command({
    path: 'refs',
    args: [{ name: 'ipfs-path', kind: 'string', required: true, variadic: true, stdin: true }],
    options: {
      format: { type: 'string', fallback: '<dst>' },
      edges: { type: 'bool', aliases: ['e'], fallback: false },
      unique: { type: 'bool', aliases: ['u'], fallback: false },
      recursive: { type: 'bool', aliases: ['r'], fallback: false },
      'max-depth': { type: 'int', fallback: -1 }
    },
    async run (call) {
      const { edges, format, recursive, unique, 'max-depth': depthMax } = call.options
      if (edges && format !== '<dst>') throw new KuboError('using format argument with edges is not allowed')
      const roots: CID[] = []
      for (const argument of call.args) roots.push((await resolveArgument(argument, node.blocks, readOptions(call))).cid)
      return { kind: 'many', values: listRefs(node, call, roots, { format: edges ? '<src> -> <dst>' : format, unique, depthMax: recursive ? depthMax : 1 }) }
    }
  })
}

interface RefsWay { readonly format: string, readonly unique: boolean, readonly depthMax: number }

async function * listRefs ({ blocks }: EmbeddedNode, call: Call, roots: readonly CID[], way: RefsWay): AsyncGenerator<Emitted> {
  const visit = createVisit(way)
  for (const root of roots) {
    try {
      for await (const text of refsBelow(root, blocks, call, way, visit)) yield line({ Ref: text, Err: '' }, `${text}\n`)
    } catch (err) {
      const why = messageOf(err)
      yield line({ Ref: '', Err: why }, () => { throw new KuboError(why) })
    }
  }
}

/** Depth first in the order of the links, on a stack of its own. Every link that is shown has been read. */
async function * refsBelow (root: CID, blocks: EmbeddedNode['blocks'], call: Call, { format }: RefsWay, visit: Visit): AsyncGenerator<string> {
  const options = readOptions(call)
  const frames = [{ cid: root, links: linksOf(root, await blocks.get(root, options)), at: 0, depth: 1 }]
  for (let top = frames.at(-1); top !== undefined; top = frames.at(-1)) {
    const link = top.links[top.at++]
    if (top.at >= top.links.length) frames.pop() // not when it is come back to: a chain of any length needs one frame
    if (link === undefined) continue
    const { isShown, goesDeeper } = visit(link.cid, top.depth)
    if (!isShown && !goesDeeper) continue
    const bytes = await blocks.get(link.cid, options).catch((err: unknown) => { throw err instanceof BlockNotFoundError ? new KuboError('failed to fetch all nodes', { cause: err }) : err })
    if (isShown) yield format.replaceAll('<src>', () => call.showCid(top.cid)).replaceAll('<dst>', () => call.showCid(link.cid)).replaceAll('<linkname>', () => link.name)
    if (goesDeeper) frames.push({ cid: link.cid, links: linksOf(link.cid, bytes), at: 0, depth: top.depth + 1 })
  }
}

type Visit = (cid: CID, depth: number) => { readonly isShown: boolean, readonly goesDeeper: boolean }

/** With `unique` a CID is shown once, and looked into again only when it is met nearer to the root than before. */
function createVisit ({ unique, depthMax }: RefsWay): Visit {
  const listed = createBytesSet()
  const depths = new Map<string, number>()
  return (cid, depth) => {
    if (depthMax >= 0 && depth > depthMax) return { isShown: false, goesDeeper: false }
    const goesDeeper = depthMax < 0 || depth < depthMax
    if (!unique) return { isShown: true, goesDeeper }
    if (depthMax < 0) {
      const isNew = listed.add(cid.bytes)
      return { isShown: isNew, goesDeeper: isNew }
    }
    const key = cidKey(cid)
    const before = depths.get(key)
    if (before !== undefined && before <= depth) return { isShown: false, goesDeeper: false }
    depths.set(key, depth)
    return { isShown: before === undefined, goesDeeper }
  }
}

function resolve ({ blocks }: EmbeddedNode): Command {
  return command({
    path: 'resolve',
    args: [{ name: 'name', kind: 'string', required: true, variadic: false, stdin: true }],
    options: { recursive: { type: 'bool', aliases: ['r'], fallback: true }, 'dht-record-count': { type: 'int', aliases: ['dhtrc'] }, 'dht-timeout': { type: 'string', aliases: ['dhtt'] } },
    async run (call) {
      const asked = parsePath(call.args[0]!)
      const isIpld = asked.namespace === 'ipld'
      const { cid, remainder } = isIpld ? await resolvePath(asked, blocks, readOptions(call)) : await resolveArgument(call.args[0]!, blocks, readOptions(call))
      const show = call.options['cid-base'] === undefined ? textLike(call.args[0]!) ?? call.showCid : call.showCid
      const path = `/${asked.namespace}/${[show(cid), ...remainder].join('/')}`
      return { kind: 'one', value: line({ Path: path }, `${path}\n`) }
    }
  })
}

/** How Kubo prints a CID that came of this path: in the base of the path's own CID. */
function textLike (argument: string): Call['showCid'] | undefined {
  const [first = '', , third = ''] = fromUri(argument).split('/')
  const text = first === '' ? third : first
  try {
    return parseCid(text).version === 0 ? cid => cid.toString() : createCidEncoder({ 'cid-base': text[0], 'upgrade-cidv0-in-output': true })
  } catch {
    return undefined
  }
}
