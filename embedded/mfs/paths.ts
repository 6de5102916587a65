/** Paths of MFS as Go's `path` package takes them apart. */
import { posix } from 'node:path'
import { KuboError } from '../rpc/kubo-error.ts'

/** The path, cleaned; a slash at its end stays, because it says that a directory is meant. @throws KuboError */
export function checkPath (path: string): string {
  if (path === '') throw new KuboError('paths must not be empty')
  if (!path.startsWith('/')) throw new KuboError('paths must start with a leading slash')
  return path.endsWith('/') && path !== '/' ? `${clean(path)}/` : clean(path)
}

/** Directory with its slash, and name, which is empty behind a slash at the end. */
export function splitPath (path: string): { readonly dir: string, readonly name: string } {
  const at = path.lastIndexOf('/') + 1
  return { dir: path.slice(0, at), name: path.slice(at) }
}

export function dirOf (path: string): string {
  return clean(splitPath(path).dir)
}

export function baseOf (path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed === '' ? (path === '' ? '.' : '/') : splitPath(trimmed).name
}

/** What a lookup goes through; none for the root. */
export function segmentsOf (path: string): readonly string[] {
  const trimmed = path.replace(/^\/+|\/+$/g, '')
  return trimmed === '' ? [] : trimmed.split('/')
}

function clean (path: string): string {
  const cleaned = posix.normalize(path)
  return cleaned === '/' ? cleaned : cleaned.replace(/\/+$/, '')
}
