import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import type { AddEvent } from '../adding/adder.ts'
import { baseOf, checkPath, dirOf } from '../mfs/paths.ts'
import { onlineOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import type { Call } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'
import { putNew } from './files-tree-commands.ts'

/** What `add --to-files` does with each root once it is pinned: an entry in MFS. Its errors come after the root's line, as in Kubo. */
export function createFilesLinker (node: EmbeddedNode, call: Pick<Call, 'signal'>, asked: string): (root: Extract<AddEvent, { kind: 'root' }>) => Promise<void> {
  const options = onlineOptions(call)
  let isTaken = false
  const refuse = (why: string, cause?: unknown): KuboError => new KuboError(`to-files: ${why}`, { cause })

  return async ({ name, node: root }) => {
    if (name === '') throw refuse('cannot add unnamed files to MFS')
    const target = checked(asked === '' ? '/' : asked)
    using _turn = await node.mfs.turn(call)
    if (target.endsWith('/')) {
      const folder = await node.mfs.lookup(target, options).catch((err: unknown) => { throw refuse(`MFS destination directory ${quoteGo(target)} does not exist: ${messageOf(err)}`, err) })
      if (folder.kind !== 'directory') throw refuse(`MFS destination ${quoteGo(target)} is not a directory`)
    } else if (isTaken) {
      throw refuse(`MFS destination is a file: only one entry can be copied to ${quoteGo(target)}`)
    }
    const path = target.endsWith('/') ? `${target}${baseOf(name)}` : target
    await node.mfs.lookup(dirOf(path), options).catch((err: unknown) => { throw refuse(`MFS destination parent ${quoteGo(path)} ${quoteGo(dirOf(path))} does not exist: ${messageOf(err)}`, err) })
    await putNew(node, call, path, root).catch((err: unknown) => { throw refuse(`cannot put node in path ${quoteGo(path)}: ${messageOf(err)}`, err) })
    isTaken = true
  }
}

function checked (path: string): string {
  try {
    return checkPath(path)
  } catch (err) {
    throw new KuboError(`to-files: ${messageOf(err)}`, { cause: err })
  }
}
