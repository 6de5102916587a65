/** What the commands of MFS have in common: options, formats of new nodes, places to copy from. */
import { posix } from 'node:path'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import type { ArgumentSpec } from '../../cluster/api/kubo/request.ts'
import { fromUri, parsePath } from '../dag/cid-text.ts'
import { codes } from '../dag/codecs.ts'
import { hashByName, isInsecureHash } from '../dag/hashes.ts'
import { resolveArgument } from '../dag/resolve.ts'
import { loadNode } from '../mfs/mfs-node.ts'
import type { CidFormat, MfsNode } from '../mfs/mfs-node.ts'
import { NoSuchFileError } from '../mfs/folder.ts'
import { checkPath, segmentsOf } from '../mfs/paths.ts'
import { onlineOptions, readOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import type { Answer, Call } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'

/** Every command of the group takes it. */
export const flushOption = { flush: { type: 'bool', aliases: ['f'], fallback: true } } as const
export const formatOptions = { 'cid-version': { type: 'int', aliases: ['cid-ver'] }, hash: { type: 'string' } } as const
export const nothing: Answer = { kind: 'nothing' }

export function pathArgument (name: string, required = true, variadic = false): ArgumentSpec {
  return { name, kind: 'string', required, variadic, stdin: false }
}

/** The format that a call asks for; undefined when it does not. @throws KuboError */
export function askedFormat ({ 'cid-version': version, hash: name }: { readonly 'cid-version': number | undefined, readonly hash: string | undefined }): CidFormat | undefined {
  if (version === undefined && name === undefined) return undefined
  const asked = name !== undefined && (version ?? 0) === 0 ? 1 : version ?? 0
  if (asked !== 0 && asked !== 1) throw new KuboError(`unknown CID version: ${asked}`)
  const hash = hashByName(name ?? 'sha2-256')
  if (name !== undefined && isInsecureHash(name)) throw new KuboError('potentially insecure hash functions not allowed')
  if (hash === undefined) throw new KuboError(`unrecognized hash function: ${quoteGo(name!)}`)
  return { cidVersion: asked, hash }
}

/** Makes every directory of `path` that is not there. @returns whether the last one was there before */
export async function makeFolders ({ mfs }: EmbeddedNode, call: Pick<Call, 'signal'>, path: string, format: CidFormat, parents: boolean): Promise<boolean> {
  const options = onlineOptions(call)
  const segments = segmentsOf(path)
  let isThere = true
  for (const [i] of segments.entries()) {
    const upTo = `/${segments.slice(0, i + 1).join('/')}`
    const isLast = i === segments.length - 1
    const found = await mfs.lookup(upTo, options).catch(ifMissing)
    isThere = found !== undefined
    if (found === undefined && !isLast && !parents) throw new NoSuchFileError()
    if (found === undefined) await mfs.put(upTo, await mfs.emptyFolder(format), options)
    else if (isLast ? !parents || found.kind !== 'directory' : found.kind !== 'directory') {
      throw new KuboError(isLast ? 'file already exists' : `${segments.slice(0, i).join('/')} was not a directory`)
    }
  }
  return isThere
}

/** Undefined for the error of a lookup that found nothing. @throws any other */
export function ifMissing (err: unknown): undefined {
  if (!(err instanceof NoSuchFileError)) throw err
}

/** An argument that may lie in MFS or be a content path, in its clean form. @throws KuboError for what is neither */
export function checkAnyPath (argument: string): string {
  return contentPath(argument) ?? checkPath(argument)
}

/** @throws KuboError in the words of whoever looks it up */
export async function anyNode ({ mfs, blocks }: EmbeddedNode, call: Call, path: string): Promise<MfsNode> {
  if (contentPath(path) === undefined) return await mfs.lookup(path, onlineOptions(call))
  const { cid } = await resolveArgument(path, blocks, readOptions(call))
  if (cid.code === codes.raw || cid.code === codes['dag-pb']) return await loadNode(cid, blocks, readOptions(call))
  await blocks.get(cid, readOptions(call))
  throw new NoUnixfsError()
}

/** The node is no file and no directory. */
export class NoUnixfsError extends KuboError {
  constructor () { super('not unixfs node (proto or raw)') }
}

function contentPath (argument: string): string | undefined {
  const path = fromUri(argument)
  if (!path.startsWith('/')) return undefined
  try {
    parsePath(path)
    return posix.normalize(path)
  } catch {
    return undefined
  }
}
