import type { Written } from '../unixfs/node-writer.ts'
import type { Mtime } from '../unixfs/data.ts'
import { editFile } from '../mfs/file-editor.ts'
import { asFolder } from '../mfs/tree.ts'
import type { MfsNode } from '../mfs/mfs-node.ts'
import { baseOf, checkPath, dirOf, segmentsOf, splitPath } from '../mfs/paths.ts'
import { defaultFormat } from '../kubo-config.ts'
import { onlineOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { command } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'
import { createChunker } from '../unixfs/chunker.ts'
import { anyNode, askedFormat, checkAnyPath, flushOption, formatOptions, ifMissing, makeFolders, nothing, NoUnixfsError, pathArgument } from './files-shared.ts'

const taken = 'directory already has entry by that name'

export function filesTreeCommands (node: EmbeddedNode): readonly Command[] {
  return [filesMkdir(node), filesCp(node), filesMv(node), filesRm(node)]
}

function filesMkdir (node: EmbeddedNode): Command {
  return command({
    path: 'files/mkdir',
    args: [pathArgument('path')],
    options: { parents: { type: 'bool', aliases: ['p'] }, ...formatOptions, ...flushOption },
    async run (call) {
      const { options: { parents = false, flush } } = call
      using _lock = await node.lock.forPinning(call)
      const path = checkPath(call.args[0]!)
      node.mfs.countUnflushed(flush)
      const format = askedFormat(call.options) ?? defaultFormat(node.imports)
      if (segmentsOf(path).length === 0 && !parents) throw new KuboError("cannot create directory '/': Already exists")
      using _turn = await node.mfs.turn(call)
      await makeFolders(node, call, path, format, parents)
      return nothing
    }
  })
}

function filesCp (node: EmbeddedNode): Command {
  return command({
    path: 'files/cp',
    args: [pathArgument('source'), pathArgument('dest')],
    options: { force: { type: 'bool' }, parents: { type: 'bool', aliases: ['p'] }, ...formatOptions, ...flushOption },
    async run (call) {
      const { options: { force = false, parents = false, flush } } = call
      const { mfs } = node
      using _lock = await node.lock.forPinning(call)
      const format = askedFormat(call.options) ?? defaultFormat(node.imports)
      const source = checkAnyPath(call.args[0]!).replace(/\/+$/, '')
      const checked = checkPath(call.args[1]!)
      const dest = checked.endsWith('/') ? `${checked}${baseOf(source)}` : checked
      const found = await sourceNode(node, call, source)
      using _turn = await mfs.turn(call)
      if (parents) await makeFolders(node, call, dirOf(dest), format, true)
      if (force) await unlinkFile(node, call, dest)
      mfs.countUnflushed(flush)
      await putNew(node, call, dest, found.written).catch((err: unknown) => { throw new KuboError(`cp: cannot put node in path ${dest}: ${messageOf(err)}`, { cause: err }) })
      if (!flush) return nothing
      await settle(node, call, dest, found).catch((err: unknown) => { throw new KuboError(`cp: cannot flush the created file ${dest}: ${messageOf(err)}`, { cause: err }) })
      return nothing
    }
  })
}

async function sourceNode (node: EmbeddedNode, call: Call, source: string): Promise<MfsNode> {
  try {
    return await anyNode(node, call, source)
  } catch (err) {
    if (err instanceof NoUnixfsError) throw new KuboError('cp: source must be a valid UnixFS (dag-pb or raw codec)')
    throw new KuboError(`cp: cannot get node from path ${source}: ${messageOf(err)}`, { cause: err })
  }
}

async function unlinkFile ({ mfs }: EmbeddedNode, call: Call, path: string): Promise<void> {
  const { dir, name } = splitPath(path)
  const refuse = (why: string): KuboError => new KuboError(`cp: cannot unlink existing file: ${why}`)
  const parent = await mfs.lookup(dir, onlineOptions(call)).catch(ifMissing)
  if (parent === undefined) return
  if (parent.kind !== 'directory') throw refuse(`not a directory: ${dir}`)
  const child = await mfs.child(asFolder(parent), name, onlineOptions(call)).catch(ifMissing)
  if (child === undefined) return
  if (child.kind === 'directory') throw refuse(`not a file: ${path}`)
  await mfs.put(path, undefined, onlineOptions(call))
}

/** @throws KuboError when something of that name is there */
export async function putNew ({ mfs }: EmbeddedNode, call: Pick<Call, 'signal'>, path: string, entry: Written): Promise<void> {
  const { dir, name } = splitPath(path)
  if (name === '') throw new KuboError('cannot create file with empty name')
  const folder = await mfs.lookupFolder(dir, onlineOptions(call), `${dir} is not a directory`)
  if (await mfs.child(folder, name, onlineOptions(call)).catch(ifMissing) !== undefined) throw new KuboError(taken)
  await mfs.put(`${dir}${name}`, entry, onlineOptions(call))
}

/** What a flush makes of a file: one of a single raw leaf becomes that leaf. */
export async function settle ({ mfs, blocks, imports, clock }: Pick<EmbeddedNode, 'mfs' | 'blocks' | 'imports' | 'clock'>, call: Pick<Call, 'signal'>, path: string, node: MfsNode): Promise<void> {
  if (node.kind !== 'directory') {
    const tools = { blocks, options: onlineOptions(call), rawLeaves: undefined, chunker: createChunker(imports.chunker), now: () => mtimeOf(clock.now()) }
    const settled = await editFile(node, tools).finish()
    if (!settled.cid.equals(node.written.cid)) await mfs.put(path, settled, tools.options)
  }
}

export function mtimeOf (ms: number): Mtime {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanoseconds: Math.floor(ms % 1000 * 1e6) }
}

function filesMv (node: EmbeddedNode): Command {
  return command({
    path: 'files/mv',
    args: [pathArgument('source'), pathArgument('dest')],
    options: flushOption,
    async run (call) {
      const { options: { flush } } = call
      const { mfs } = node
      using _lock = await node.lock.forPinning(call)
      mfs.countUnflushed(flush)
      const source = checkPath(call.args[0]!)
      const dest = checkPath(call.args[1]!)
      using _turn = await mfs.turn(call)
      await move(node, call, source, dest)
      if (!flush) return nothing
      const explain = (whose: string) => (err: unknown): never => { throw new KuboError(`cp: cannot flush the ${whose} parent folder ${dest}: ${messageOf(err)}`, { cause: err }) }
      await mfs.lookup(dirOf(dest), onlineOptions(call)).catch(explain("destination file's"))
      await mfs.lookup(dirOf(source), onlineOptions(call)).catch(explain("source's file's"))
      return nothing
    }
  })
}

async function move ({ mfs }: EmbeddedNode, call: Call, source: string, dest: string): Promise<void> {
  const options = onlineOptions(call)
  const from = splitPath(source)
  let to = dest.endsWith('/') ? { dir: dest, name: from.name } : splitPath(dest)
  const toFolder = await mfs.lookupFolder(to.dir, options, `${to.dir} is not a directory`)
  const fromFolder = await mfs.lookupFolder(from.dir, options, `${from.dir} is not a directory`)
  const { written } = await mfs.child(fromFolder, from.name, options)
  const there = await mfs.child(toFolder, to.name, options).catch(ifMissing)
  if (there?.kind === 'directory') {
    to = { dir: `${to.dir}${to.name}/`, name: from.name }
    if (await mfs.child(asFolder(there), to.name, options).catch(ifMissing) !== undefined) throw new KuboError(taken)
  }
  await mfs.put(`${to.dir}${to.name}`, written, options)
  // Kubo compares the names of the two directories, not their paths, and leaves the source where both names are the same
  const isSame = segmentsOf(from.dir).at(-1) === segmentsOf(to.dir).at(-1) && from.name === to.name
  if (!isSame) await mfs.put(source, undefined, options)
}

function filesRm (node: EmbeddedNode): Command {
  return command({
    path: 'files/rm',
    args: [pathArgument('path', true, true)],
    options: { recursive: { type: 'bool', aliases: ['r'] }, force: { type: 'bool' }, ...flushOption },
    run (call) {
      if (!call.options.flush) throw new KuboError('files rm always flushes for safety. The --flush flag cannot be set to false for this command')
      const { options: { recursive = false, force = false } } = call
      return { kind: 'many', values: removeAll(node, call, recursive, force) }
    }
  })
}

async function * removeAll (node: EmbeddedNode, call: Call, recursive: boolean, force: boolean): AsyncGenerator<Emitted> {
  const failures: string[] = []
  {
    using _lock = await node.lock.forPinning(call)
    using _turn = await node.mfs.turn(call)
    for (const argument of call.args) {
      const failure = await removeOne(node, call, argument, recursive, force)
      if (failure !== undefined) failures.push(failure)
    }
  }
  for (const failure of failures) yield { json: failure, printed: failure }
  if (failures.length > 0) throw new KuboError("can't remove some files")
}

/** Why it could not be removed. */
async function removeOne ({ mfs }: EmbeddedNode, call: Call, argument: string, recursive: boolean, force: boolean): Promise<string | undefined> {
  const options = onlineOptions(call)
  let shown = `${argument} is not a valid path`
  try {
    const path = checkPath(argument)
    shown = path
    if (path === '/') throw new KuboError('cannot delete root')
    const { dir, name } = splitPath(path.replace(/\/$/, ''))
    const folder = await mfs.lookupFolder(dir, options, "expected *mfs.Directory, didn't get it. This is likely a race condition").catch(err => { if (!force) throw err; return ifMissing(err) })
    if (folder === undefined) return undefined
    const isBareFolder = !force && !recursive && (await mfs.child(folder, name, options)).kind === 'directory'
    if (isBareFolder) throw new KuboError('path is a directory, use -r to remove directories')
    await mfs.put(`${dir}${name}`, undefined, options).catch(err => { if (!force) throw err; ifMissing(err) })
    return undefined
  } catch (err) {
    call.signal.throwIfAborted()
    return `${shown}: ${messageOf(err)}`
  }
}
