import { contentSize } from '../mfs/mfs-node.ts'
import type { FolderNode, MfsNode } from '../mfs/mfs-node.ts'
import { asFolder } from '../mfs/tree.ts'
import { entriesOf } from '../mfs/folder.ts'
import { checkPath, splitPath } from '../mfs/paths.ts'
import { onlineOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'
import { fetched } from '../unixfs/fetched.ts'
import { readFile } from '../unixfs/reader.ts'
import { flushOption, pathArgument } from './files-shared.ts'

interface Listed { readonly Name: string, readonly Type: number, readonly Size: bigint, readonly Hash: string }
const typeCodes = { raw: 0, file: 0, directory: 1 } as const

export function filesListCommands (node: EmbeddedNode): readonly Command[] {
  return [filesLs(node), filesRead(node)]
}

function filesLs (node: EmbeddedNode): Command {
  return command({
    path: 'files/ls',
    args: [pathArgument('path', false)],
    options: { long: { type: 'bool', aliases: ['l'] }, U: { type: 'bool' }, ...flushOption },
    async run (call) {
      const { options: { long = false, U: unsorted = false } } = call
      const path = checkPath(call.args[0] ?? '/')
      const found = await node.mfs.lookup(path, onlineOptions(call))
      const own = call.showCid(found.written.cid) // refuses a base that there is not, though entries of a directory are not shown in it
      const entries = found.kind === 'directory'
        ? await listFolder(node, call, asFolder(found), long)
        : [{ ...entryOf(splitPath(path).name, found, long), Hash: long ? own : '' }]
      const shown = unsorted ? entries : entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.Name), Buffer.from(b.Name)))
      const text = shown.map(({ Name, Type, Size, Hash }) => long ? `${Name}${Type === typeCodes.directory ? '/' : ''}\t${Hash}\t${Size}\n` : `${Name}\n`).join('')
      const printed = `&{[${entries.map(({ Name, Type, Size, Hash }) => `{${Name} %!s(int=${Type}) %!s(int64=${Size}) ${Hash}}`).join(' ')}]}`
      return { kind: 'one', value: { printed, ...line({ Entries: entries.length === 0 ? null : entries.map(entry => ({ ...entry })) }, text) } }
    }
  })
}

async function listFolder (node: EmbeddedNode, call: Call, folder: FolderNode, long: boolean): Promise<readonly Listed[]> {
  const options = onlineOptions(call)
  const listed: Listed[] = []
  for await (const { name } of entriesOf(folder, { blocks: node.blocks, options })) {
    if (!long) listed.push({ Name: name, Type: 0, Size: 0n, Hash: '' })
    else listed.push(entryOf(name, await node.mfs.child(folder, name, options), true))
  }
  return listed
}

/** In a long listing CIDs are as they are, whatever base was asked for. */
function entryOf (name: string, node: MfsNode, long: boolean): Listed {
  if (!long) return { Name: name, Type: 0, Size: 0n, Hash: '' }
  const size = node.kind === 'raw' ? node.written.fileSize : contentSize(node.data)
  return { Name: name, Type: typeCodes[node.kind], Size: size, Hash: node.written.cid.toString() }
}

function filesRead ({ mfs, blocks }: EmbeddedNode): Command {
  return command({
    path: 'files/read',
    args: [pathArgument('path')],
    options: { offset: { type: 'int64', aliases: ['o'] }, count: { type: 'int64', aliases: ['n'] }, ...flushOption },
    async run (call) {
      const { options: { offset = 0n, count } } = call
      const options = onlineOptions(call)
      const path = checkPath(call.args[0]!)
      const found = await mfs.lookup(path, options).catch((err: unknown) => { throw new KuboError(`${path}: ${messageOf(err)}`, { cause: err }) })
      if (found.kind === 'directory') throw new KuboError(`${path} was not a file`)
      if (found.kind === 'file' && found.data.type === 'symlink') throw new KuboError('symlinks not yet supported')
      if (offset < 0n) throw new KuboError('cannot specify negative offset')
      const { cid, fileSize } = found.written
      if (offset > fileSize) throw new KuboError(`offset was past end of file (${offset} > ${fileSize})`)
      if (count !== undefined && count < 0n) throw new KuboError("cannot specify negative 'count'")
      const length = count === undefined ? Infinity : Number(count)
      return { kind: 'bytes', contentType: 'text/plain', bytes: fetched(readFile(cid, { from: Number(offset), length }, blocks, options)) }
    }
  })
}
