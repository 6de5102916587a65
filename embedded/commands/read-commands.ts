import { createGzip } from 'node:zlib'
import { Readable, pipeline } from 'node:stream'
import type { CID } from 'multiformats/cid'
import type { ReadOptions } from '../dag/block-service.ts'
import { resolveArgument } from '../dag/resolve.ts'
import { readOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { command } from '../rpc/command.ts'
import type { Call, Command } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { fetched } from '../unixfs/fetched.ts'
import { listDirectory, openUnixfs, readFile } from '../unixfs/reader.ts'
import type { UnixfsNode } from '../unixfs/reader.ts'
import { tarEnd, tarHeader, tarPadding } from '../unixfs/tar.ts'

const collectedBytes = 1024 * 1024

export function readCommands (node: EmbeddedNode): readonly Command[] {
  return [cat(node), get(node)]
}

function cat ({ blocks }: EmbeddedNode): Command {
  return command({
    path: 'cat',
    args: [{ name: 'ipfs-path', kind: 'string', required: true, variadic: true, stdin: true }],
    options: { offset: { type: 'int64', aliases: ['o'] }, length: { type: 'int64', aliases: ['l'] }, progress: { type: 'bool', aliases: ['p'], fallback: true } },
    async run (call) {
      const offset = Number(call.options.offset ?? 0n)
      const length = call.options.length === undefined ? Infinity : Number(call.options.length)
      if (offset < 0) throw new KuboError('cannot specify negative offset')
      if (length < 0) throw new KuboError('cannot specify negative length')
      const options = readOptions(call)
      const ranges: { cid: CID, from: number, length: number }[] = []
      let skip = offset
      let left = length
      for (const argument of call.args) {
        if (left === 0) break
        const node = await openUnixfs((await resolveArgument(argument, blocks, options)).cid, blocks, options)
        if (node.kind === 'directory') throw new KuboError('this dag node is a directory')
        const from = Math.min(skip, node.size)
        const take = Math.min(node.size - from, left)
        skip -= from
        left -= take
        ranges.push({ cid: node.cid, from, length: take })
      }
      const total = ranges.reduce((sum, { length }) => sum + length, 0)
      return { kind: 'bytes', contentType: 'text/plain', length: total, bytes: contentOf(blocks, ranges, options) }
    }
  })
}

async function * contentOf (blocks: EmbeddedNode['blocks'], ranges: readonly { cid: CID, from: number, length: number }[], options: ReadOptions): AsyncGenerator<Uint8Array> {
  for (const { cid, from, length } of ranges) yield * fetched(readFile(cid, { from, length }, blocks, options))
}

function get (daemon: EmbeddedNode): Command {
  return command({
    path: 'get',
    args: [{ name: 'ipfs-path', kind: 'string', required: true, variadic: false, stdin: true }],
    options: {
      output: { type: 'string', aliases: ['o'] },
      archive: { type: 'bool', aliases: ['a'], fallback: false },
      compress: { type: 'bool', aliases: ['C'], fallback: false },
      'compression-level': { type: 'int', aliases: ['l'] },
      progress: { type: 'bool', aliases: ['p'], fallback: true }
    },
    async run (call) {
      const { archive, compress, 'compression-level': level = 6 } = call.options
      if (compress && (level < 1 || level > 9)) throw new KuboError('compression level must be between 1 and 9')
      const options = readOptions(call)
      const { cid } = await resolveArgument(call.args[0]!, daemon.blocks, options)
      const node = await openUnixfs(cid, daemon.blocks, options)
      if (compress && !archive && node.kind !== 'file') throw new KuboError('file is not regular')
      const name = call.args[0]!.replace(/\/+$/, '').split('/').at(-1)!
      const plain = compress && !archive && node.kind === 'file'
        ? fetched(readFile(cid, { from: 0, length: node.size }, daemon.blocks, options))
        : tar(daemon, node, name, call, !archive)
      const bytes = collected(compress ? gzipped(plain, level) : plain)
      return { kind: 'bytes', contentType: compress ? 'application/gzip' : 'application/x-tar', length: node.size, bytes }
    }
  })
}

async function * gzipped (bytes: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level })
  pipeline(Readable.from(bytes), gzip, () => { /* whoever reads the gzip is told */ })
  yield * gzip as AsyncIterable<Buffer>
}

async function * tar ({ blocks, clock }: EmbeddedNode, root: UnixfsNode, name: string, call: Call, isPrecise: boolean): AsyncGenerator<Uint8Array> {
  const options = readOptions(call)
  const stack = [{ node: async () => root, name }]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { name } = next
    const node = await next.node()
    const { mode = node.kind === 'file' ? 0o644 : node.kind === 'symlink' ? 0o777 : 0o755, mtime } = node.data ?? {}
    const entry = { kind: node.kind, name, mode, mtimeMs: mtime === undefined ? clock.now() : Number(mtime.seconds) * 1000, isPrecise: isPrecise && mtime === undefined }
    if (node.kind === 'file') {
      yield tarHeader({ ...entry, size: node.size })
      yield * fetched(readFile(node.cid, { from: 0, length: node.size }, blocks, options))
      yield tarPadding(node.size)
    } else if (node.kind === 'symlink') {
      yield tarHeader({ ...entry, size: 0, target: node.target })
    } else {
      yield tarHeader({ ...entry, size: 0 })
      const entries = await Array.fromAsync(listDirectory(node, blocks, options))
      stack.push(...entries.toReversed().map(({ name: child, cid }) => ({ name: `${name}/${child}`, node: () => openUnixfs(cid, blocks, options) })))
    }
  }
  yield tarEnd()
}

/** Kubo's `get` collects this much before it sends anything: what fails within it sends nothing. */
async function * collected (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] | undefined = []
  let heldBytes = 0
  for await (const piece of bytes) {
    if (held === undefined) {
      yield piece
      continue
    }
    held.push(piece)
    heldBytes += piece.length
    if (heldBytes < collectedBytes) continue
    yield * held
    held = undefined
  }
  yield * held ?? []
}
