import type { ReadOptions } from '../dag/block-service.ts'
import { BlockNotFoundError } from '../dag/block-service.ts'
import { linksOf } from '../dag/codecs.ts'
import { cidKey } from '../dag/walk.ts'
import type { CID } from 'multiformats/cid'
import { contentSize } from '../mfs/mfs-node.ts'
import type { MfsNode } from '../mfs/mfs-node.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { goMode, goModeText } from '../unixfs/go-mode.ts'
import { humanBytes } from '../rpc/human-bytes.ts'
import { anyNode, checkAnyPath, flushOption, pathArgument } from './files-shared.ts'

const defaultFormat = '<hash>\nSize: <size>\nCumulativeSize: <cumulsize>\nChildBlocks: <childs>\nType: <type>\nMode: <mode> (<mode-octal>)\nMtime: <mtime>'
const notSet = 'not set'

interface Locality { readonly isLocal: boolean, readonly bytes: bigint }

export function filesStatCommand (node: EmbeddedNode): Command {
  return command({
    path: 'files/stat',
    args: [pathArgument('path')],
    options: {
      format: { type: 'string', fallback: defaultFormat },
      hash: { type: 'bool' },
      size: { type: 'bool' },
      'with-local': { type: 'bool' },
      ...flushOption
    },
    async run (call) {
      const { options: { hash = false, size = false, format } } = call
      if ([hash, size, format !== defaultFormat].filter(Boolean).length > 1) {
        throw new KuboError('invalid parameters: format was set by multiple options. Only one format option is allowed', { code: 1 })
      }
      const found = await anyNode(node, call, checkAnyPath(call.args[0]!))
      const locality = call.options['with-local'] === true ? await localityOf(found.written.cid, node, { signal: call.signal, offline: true }, new Map()) : undefined
      return { kind: 'one', value: shown(found, call, hash ? '<hash>' : size ? '<cumulsize>' : format, locality) }
    }
  })
}

function shown (node: MfsNode, { showCid }: Pick<Call, 'showCid'>, format: string, locality: Locality | undefined): ReturnType<typeof line> {
  const { written: { cid, totalSize } } = node
  const isRaw = node.kind === 'raw'
  const mode = isRaw ? 0 : goMode(node.data) || (node.data.type === 'symlink' ? goMode({ type: 'symlink', mode: 0o777 }) : 0)
  const { seconds = 0n, nanoseconds = 0 } = isRaw ? {} : node.data.mtime ?? {}
  const json = {
    Hash: showCid(cid),
    Size: isRaw ? totalSize : contentSize(node.data),
    CumulativeSize: totalSize,
    Blocks: isRaw ? 0 : node.links.length,
    Type: node.kind === 'directory' ? 'directory' : 'file',
    WithLocality: locality === undefined ? undefined : true,
    Local: locality?.isLocal === true ? true : undefined,
    SizeLocal: locality === undefined || locality.bytes === 0n ? undefined : locality.bytes,
    Mtime: seconds === 0n ? undefined : seconds,
    MtimeNsecs: nanoseconds === 0 ? undefined : nanoseconds,
    Mode: mode === 0 ? undefined : mode.toString(8).padStart(4, '0')
  }
  const tokens: Readonly<Record<string, string>> = {
    hash: json.Hash, size: String(json.Size), cumulsize: String(totalSize), childs: String(json.Blocks), type: json.Type,
    mode: mode === 0 ? notSet : goModeText(mode).toLowerCase(),
    'mode-octal': mode === 0 ? notSet : `0${(mode & 0o777).toString(8)}`,
    mtime: seconds > 0n ? dateText(seconds) : notSet,
    'mtime-secs': seconds > 0n ? String(seconds) : notSet,
    'mtime-nsecs': seconds > 0n ? String(nanoseconds) : notSet
  }
  const text = format.replaceAll(/<(hash|size|cumulsize|childs|type|mode|mode-octal|mtime|mtime-secs|mtime-nsecs)>/g, (_, name: string) => tokens[name]!)
  const local = locality === undefined ? '' : `Local: ${humanBytes(locality.bytes)} of ${humanBytes(totalSize)} (${(100 * Number(locality.bytes) / Number(totalSize)).toFixed(2)}%)\n`
  return line(json, `${text}\n${local}`)
}

/** `14 Jul 2017, 02:40:00 UTC`. */
function dateText (seconds: bigint): string {
  const [, day, month, year, time] = /^\w+, 0?(\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(Number(seconds) * 1000).toUTCString()) ?? []
  return `${day} ${month} ${year}, ${time} UTC`
}

/** Blocks below that are here, and whether that is all of them; one that is linked twice counts twice. */
async function localityOf (cid: CID, node: EmbeddedNode, options: ReadOptions, known: Map<string, Locality>): Promise<Locality> {
  const key = cidKey(cid)
  const before = known.get(key)
  if (before !== undefined) return before
  const bytes = await node.blocks.get(cid, options).catch((err: unknown) => { if (!(err instanceof BlockNotFoundError)) throw err })
  let isLocal = bytes !== undefined
  let held = BigInt(bytes?.length ?? 0)
  for (const { cid: child } of bytes === undefined ? [] : linksOf(cid, bytes)) {
    const below = await localityOf(child, node, options, known)
    isLocal &&= below.isLocal
    held += below.bytes
  }
  const found = { isLocal, bytes: held }
  known.set(key, found)
  return found
}
