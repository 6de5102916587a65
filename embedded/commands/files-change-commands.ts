import { MultipartError } from '../../cluster/api/kubo/multipart.ts'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { editFile } from '../mfs/file-editor.ts'
import type { FileEditor } from '../mfs/file-editor.ts'
import { rewritten } from '../mfs/folder.ts'
import { asFolder } from '../mfs/tree.ts'
import { formatOf, writerFor } from '../mfs/mfs-node.ts'
import type { CidFormat, MfsNode } from '../mfs/mfs-node.ts'
import { checkPath, dirOf, splitPath } from '../mfs/paths.ts'
import { defaultFormat } from '../kubo-config.ts'
import { onlineOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { command } from '../rpc/command.ts'
import type { Call, Command } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { filesOf } from '../rpc/uploads.ts'
import { createChunker } from '../unixfs/chunker.ts'
import type { UnixfsData } from '../unixfs/data.ts'
import { hashByName } from '../dag/hashes.ts'
import { unixPermissions } from '../unixfs/go-mode.ts'
import type { Written } from '../unixfs/node-writer.ts'
import { askedFormat, flushOption, formatOptions, ifMissing, makeFolders, nothing, pathArgument } from './files-shared.ts'
import { mtimeOf, settle } from './files-tree-commands.ts'

export function filesChangeCommands (node: EmbeddedNode): readonly Command[] {
  return [filesWrite(node), filesFlush(node), filesChcid(node), filesChmod(node), filesTouch(node)]
}

function filesWrite (node: EmbeddedNode): Command {
  return command({
    path: 'files/write',
    args: [pathArgument('path'), { name: 'data', kind: 'file', required: true, variadic: false, stdin: true }],
    options: {
      offset: { type: 'int64', aliases: ['o'] },
      create: { type: 'bool', aliases: ['e'] },
      parents: { type: 'bool', aliases: ['p'] },
      truncate: { type: 'bool', aliases: ['t'] },
      count: { type: 'int64', aliases: ['n'] },
      'raw-leaves': { type: 'bool' },
      ...formatOptions,
      ...flushOption
    },
    async run (call) {
      const { options: { offset = 0n, create = false, parents = false, truncate = false, count, flush } } = call
      const { mfs, imports, blocks, clock } = node
      const path = checkPath(call.args[0]!)
      using _lock = await node.lock.forPinning(call)
      mfs.countUnflushed(flush)
      const format = askedFormat(call.options) ?? defaultFormat(imports)
      if (offset < 0n) throw new KuboError('cannot have negative write offset')
      await openFile(node, call, path, { create, parents, format })

      using _writer = await mfs.writing(path, call)
      const tools = { blocks, options: onlineOptions(call), rawLeaves: call.options['raw-leaves'] ?? imports.rawLeaves, chunker: createChunker(imports.chunker), now: () => mtimeOf(clock.now()) }
      const editor = editFile(await mfs.lookup(path, tools.options), tools)
      const failure = await writeUpload(editor, call, { truncate, offset: Number(offset), count })
      const written = await editor.finish()
      using _turn = await mfs.turn(call)
      await mfs.replace(path, async () => written, tools.options).catch(ifMissing) // removed in the meantime
      if (failure !== undefined) throw failure.err
      return nothing
    }
  })
}

/** Makes sure that there is a file to write to. @throws KuboError */
async function openFile (node: EmbeddedNode, call: Call, path: string, { create, parents, format }: { create: boolean, parents: boolean, format: CidFormat }): Promise<void> {
  const { mfs, blocks } = node
  const options = onlineOptions(call)
  using _turn = await mfs.turn(call)
  if (parents) await makeFolders(node, call, dirOf(path), format, true)
  const found = await mfs.lookup(path, options).catch((err: unknown) => { if (!create) throw err; return ifMissing(err) })
  if (found?.kind === 'directory') throw new KuboError(`${path} was not a file`)
  if (found !== undefined) return
  await mfs.lookupFolder(splitPath(path).dir, options, "expected *mfs.Directory, didn't get it. This is likely a race condition")
  await mfs.put(path, await writerFor(format, false, blocks).node({ type: 'file', fileSize: 0n }, []), options)
}

/** What has come of an upload that failed stays in the file, as in Kubo. @returns what it failed with */
async function writeUpload (editor: FileEditor, call: Call, { truncate, offset, count }: { truncate: boolean, offset: number, count: bigint | undefined }): Promise<{ err: unknown } | undefined> {
  try {
    if (truncate) await editor.truncate()
    if (count !== undefined && count < 0n) throw new KuboError('cannot have negative byte count')
    await editor.seek(offset)
    let left = count === undefined ? Infinity : Number(count)
    for await (const { body } of filesOf(call.parts, 'file argument was nil')) {
      for await (const piece of body) {
        await editor.write(piece.subarray(0, left))
        left -= Math.min(left, piece.length)
        if (left === 0) break
      }
      return undefined
    }
    throw new KuboError('expected a file argument')
  } catch (err) {
    if (call.signal.aborted || !(err instanceof KuboError || err instanceof MultipartError)) throw err
    return { err }
  }
}

function filesFlush (node: EmbeddedNode): Command {
  return command({
    path: 'files/flush',
    args: [pathArgument('path', false)],
    options: flushOption,
    async run (call) {
      const { mfs } = node
      using _lock = await node.lock.forPinning(call)
      using _turn = await mfs.turn(call)
      const path = call.args[0] ?? '/'
      await settle(node, call, path, await mfs.lookup(path, onlineOptions(call)))
      mfs.countUnflushed(true)
      const cid = call.showCid((await mfs.lookup(path, onlineOptions(call))).written.cid)
      return { kind: 'one', value: { json: { Cid: cid }, printed: `&{${cid}}` } }
    }
  })
}

function filesChcid (node: EmbeddedNode): Command {
  return command({
    path: 'files/chcid',
    args: [pathArgument('path')],
    options: { ...formatOptions, ...flushOption },
    async run (call) {
      const path = call.args[0]!
      const { mfs, blocks } = node
      using _lock = await node.lock.forPinning(call)
      if (path === '/') throw new KuboError("cannot change CID format of the MFS root; use 'ipfs config Import.CidVersion' and 'ipfs config Import.HashFunction' instead")
      const format = askedFormat(call.options)
      using _turn = await mfs.turn(call)
      if (format !== undefined) {
        await mfs.replace(path, async found => {
          if (found.kind !== 'directory') throw new KuboError('can only update directories')
          return await rewritten(asFolder(found), {}, writerFor(format, false, blocks))
        }, onlineOptions(call))
      }
      if (!call.options.flush) return nothing
      for (const flushed of [path, dirOf(path)]) await settle(node, call, flushed, await mfs.lookup(flushed, onlineOptions(call)))
      return nothing
    }
  })
}

function filesChmod (node: EmbeddedNode): Command {
  return command({
    path: 'files/chmod',
    args: [pathArgument('mode'), pathArgument('path')],
    options: flushOption,
    async run (call) {
      const path = checkPath(call.args[1]!)
      const permissions = unixPermissions(parseMode(call.args[0]!))
      await withData(node, call, path, ({ mode: old = 0, ...data }) => {
        const mode = (old & ~0xfff) | permissions
        return mode === 0 ? data : { ...data, mode }
      })
      return nothing
    }
  })
}

/** Go's `strconv.ParseInt(text, 8, 32)`. */
function parseMode (text: string): number {
  if (!/^[+-]?[0-7]+$/.test(text)) throw new KuboError(`strconv.ParseInt: parsing ${quoteGo(text)}: invalid syntax`)
  const value = parseInt(text, 8)
  if (value > 2 ** 31 - 1 || value < -(2 ** 31)) throw new KuboError(`strconv.ParseInt: parsing ${quoteGo(text)}: value out of range`)
  return value
}

function filesTouch (node: EmbeddedNode): Command {
  return command({
    path: 'files/touch',
    args: [pathArgument('path')],
    options: { mtime: { type: 'int64' }, 'mtime-nsecs': { type: 'uint' }, ...flushOption },
    async run (call) {
      const path = checkPath(call.args[0]!)
      const { options: { mtime = 0n, 'mtime-nsecs': nanoseconds = 0 } } = call
      const whole = Math.floor(nanoseconds / 1e9)
      const time = mtime === 0n ? mtimeOf(node.clock.now()) : { seconds: mtime + BigInt(whole), nanoseconds: nanoseconds % 1e9 }
      await withData(node, call, path, data => ({ ...data, mtime: time }))
      return nothing
    }
  })
}

/** A raw block has nowhere to keep permissions or a time, and becomes a node around its bytes. */
async function withData (node: EmbeddedNode, call: Call, path: string, change: (data: UnixfsData) => UnixfsData): Promise<void> {
  const { mfs, blocks } = node
  using _lock = await node.lock.forPinning(call)
  using _turn = await mfs.turn(call)
  await mfs.replace(path, async (found: MfsNode): Promise<Written> => {
    if (found.kind !== 'raw') return await writerFor(formatOf(found.written.cid), false, blocks).node(change(found.data), found.links)
    const bare = { cidVersion: 0, hash: hashByName('sha2-256')! } as const
    return await writerFor(bare, false, blocks).node(change({ type: 'file', data: found.bytes, fileSize: found.written.fileSize }), [])
  }, onlineOptions(call))
}
