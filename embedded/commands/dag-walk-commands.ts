import { CID } from 'multiformats/cid'
import { BlockNotFoundError } from '../dag/block-service.ts'
import { createBytesSet } from '../dag/bytes-set.ts'
import { carHeader, carSection } from '../dag/car.ts'
import { codes, requireCodec } from '../dag/codecs.ts'
import { pushReversed } from '../dag/push-reversed.ts'
import { resolveArgument } from '../dag/resolve.ts'
import { walk } from '../dag/walk.ts'
import { readOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { humanBytes } from '../rpc/human-bytes.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'

export function dagWalkCommands (node: EmbeddedNode): readonly Command[] {
  return [dagStat(node), dagExport(node)]
}

const blocksWidth = 15

interface Stat { readonly cid: CID, size: number, blocks: number }

function dagStat (node: EmbeddedNode): Command {
  return command({
    path: 'dag/stat',
    args: [{ name: 'root', kind: 'string', required: true, variadic: true, stdin: true }],
    options: { progress: { type: 'bool', aliases: ['p'], fallback: true } },
    async run (call) {
      const roots: CID[] = []
      for (const argument of call.args) {
        const { cid, remainder } = await resolveArgument(argument, node.blocks, readOptions(call))
        if (remainder.length > 0) throw new KuboError('cannot return size for anything other than a DAG with a root CID')
        roots.push(cid)
      }
      for (const root of roots) await node.blocks.get(root, readOptions(call))
      return { kind: 'many', values: stat(node, call, roots, call.options.progress) }
    }
  })
}

async function * stat ({ blocks }: EmbeddedNode, call: Call, roots: readonly CID[], progress: boolean): AsyncGenerator<Emitted> {
  const unique = createBytesSet()
  let uniqueSize = 0
  const stats: Stat[] = []
  const shown = (): { Cid: string, Size: number, NumBlocks: number }[] => stats.map(({ cid, size, blocks }) => ({ Cid: call.showCid(cid), Size: size, NumBlocks: blocks }))
  let total = 0
  for (const root of roots) {
    const one: Stat = { cid: root, size: 0, blocks: 0 }
    stats.push(one)
    try {
      for await (const visited of walk([root], blocks, readOptions(call))) {
        for (const { cid, length } of visited) {
          one.size += length
          one.blocks++
          total += length
          if (unique.add(cid.bytes)) uniqueSize += length
          if (progress) yield line({ TotalSize: uniqueSize, DagStats: shown() }, () => statText(shown(), { total: uniqueSize, unique: 0, shared: 0, ratio: 0 }))
        }
      }
    } catch (err) {
      throw new KuboError(`error traversing DAG: ${messageOf(err)}`, { cause: err })
    }
  }
  const json = {
    UniqueBlocks: unique.size,
    TotalSize: uniqueSize,
    SharedSize: total === uniqueSize ? undefined : total - uniqueSize,
    Ratio: uniqueSize === 0 ? 1 : float32(total / uniqueSize),
    DagStats: shown()
  }
  yield line(json, () => statText(shown(), { total: uniqueSize, unique: unique.size, shared: total - uniqueSize, ratio: json.Ratio }))
}

interface StatSums { readonly total: number, readonly unique: number, readonly shared: number, readonly ratio: number }

function statText (stats: readonly { Cid: string, Size: number, NumBlocks: number }[], { total, unique, shared, ratio }: StatSums): string {
  const width = stats[0]?.Cid.length ?? 0
  const rows = [['CID', 'Blocks', 'Size'], ...stats.map(({ Cid, Size, NumBlocks }) => [Cid, String(NumBlocks), String(Size)])]
  const table = rows.map(([cid, blocks, size]) => `${cid!.padEnd(width)}\t${blocks!.padEnd(blocksWidth)}\t${size}\n`).join('')
  const human = (bytes: number): string => `${bytes} (${humanBytes(BigInt(bytes))})`
  return `\n${table}\nSummary\nTotal Size: ${human(total)}\nUnique Blocks: ${unique}\nShared Size: ${human(shared)}\nRatio: ${ratio.toFixed(6)}\n\n\n`
}

/** Go's shortest text for a 32-bit number. */
function float32 (value: number): number {
  const wanted = Math.fround(value)
  for (let digits = 1; digits <= 9; digits++) {
    const candidate = Number(wanted.toPrecision(digits))
    if (Math.fround(candidate) === wanted) return candidate
  }
  return wanted
}

function dagExport (node: EmbeddedNode): Command {
  return command({
    path: 'dag/export',
    args: [{ name: 'root', kind: 'string', required: true, variadic: false, stdin: true }],
    options: { progress: { type: 'bool', aliases: ['p'] }, 'local-only': { type: 'bool', fallback: false } },
    async run (call) {
      const { cid } = await resolveArgument(call.args[0]!, node.blocks, readOptions(call))
      await node.blocks.get(cid, readOptions(call))
      return { kind: 'bytes', contentType: 'application/vnd.ipld.car', bytes: exportCar(node, call, cid, call.options['local-only']) }
    }
  })
}

/** Depth first in the order of the links; a block that is linked twice is sent once. */
async function * exportCar ({ blocks }: EmbeddedNode, call: Call, root: CID, localOnly: boolean): AsyncGenerator<Uint8Array> {
  const options = readOptions(call)
  yield carHeader([root])
  const seen = createBytesSet()
  const stack = [{ cid: root, at: '' }]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { cid, at } = next
    if (!seen.add(cid.bytes)) continue
    if (localOnly && !blocks.has(cid)) continue
    const bytes = await loaded(cid, at, () => blocks.get(cid, options), call.options.offline === true)
    yield carSection(cid, bytes)
    pushReversed(stack, linksWithPaths(cid, bytes))
  }
}

async function loaded (cid: CID, at: string, load: () => Promise<Uint8Array>, offline: boolean): Promise<Uint8Array> {
  try {
    return await load()
  } catch (err) {
    const hint = !(err instanceof BlockNotFoundError) ? '' : ` (currently offline, perhaps retry ${offline ? 'without the offline flag' : 'after attaching to the network'})`
    throw new KuboError(`walk failed: error traversing node at ${JSON.stringify(at)}: could not load link ${JSON.stringify(cid.toString())}: ${messageOf(err)}${hint}`, { cause: err })
  }
}

/** Where in its node each link stands: `Links/0/Hash`. */
function linksWithPaths (cid: CID, bytes: Uint8Array): { cid: CID, at: string }[] {
  if (cid.code === codes.raw) return []
  const found: { cid: CID, at: string }[] = []
  const stack: { value: unknown, at: string }[] = [{ value: requireCodec(cid.code).decode(bytes), at: '' }]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value, at } = next
    const link = CID.asCID(value)
    if (link !== null) found.push({ cid: link, at })
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
      pushReversed(stack, Object.entries(value).map(([key, below]) => ({ value: below as unknown, at: at === '' ? key : `${at}/${key}` })))
    }
  }
  return found
}
