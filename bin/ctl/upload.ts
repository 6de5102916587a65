import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { UsageError } from '../args.ts'

interface UploadOptions { readonly takesHidden: boolean, readonly boundary: string, readonly signal: AbortSignal }

export const isUrl = (path: string): boolean => /^https?:\/\//i.test(path)

/**
 * What is under paths and behind addresses as a multipart body: one part an entry, folders before what is in them. Names are escaped as
 * Kubo's clients do.
 *
 * @throws UsageError for what is no file, folder or symbolic link; Error for an address that does not answer with a file
 */
export async function * uploadOf (paths: readonly string[], options: UploadOptions): AsyncGenerator<Uint8Array> {
  for (const path of paths) {
    if (isUrl(path)) yield * webPart(path, options)
    else yield * parts(path, basename(resolve(path)), options)
  }
  yield Buffer.from(`--${options.boundary}--\r\n`)
}

/** How many bytes the files have; undefined when an address is among them, of which nobody knows. */
export async function bytesUnder (paths: readonly string[], takesHidden: boolean): Promise<number | undefined> {
  if (paths.some(isUrl)) return undefined
  let bytes = 0
  for (const path of paths) {
    const found = await lstat(path)
    if (found.isFile()) bytes += found.size
    if (found.isDirectory()) bytes += (await bytesUnder((await entriesOf(path, takesHidden)).map(entry => join(path, entry)), takesHidden))!
  }
  return bytes
}

async function * parts (path: string, name: string, options: UploadOptions): AsyncGenerator<Uint8Array> {
  const found = await lstat(path)
  if (found.isSymbolicLink()) {
    yield Buffer.concat([headOf(name, 'application/symlink', options), Buffer.from(await readlink(path)), Buffer.from('\r\n')])
  } else if (found.isDirectory()) {
    yield Buffer.concat([headOf(name, 'application/x-directory', options), Buffer.from('\r\n')])
    for (const entry of await entriesOf(path, options.takesHidden)) yield * parts(join(path, entry), `${name}/${entry}`, options)
  } else if (found.isFile()) {
    yield headOf(name, 'application/octet-stream', options)
    yield * createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
    yield Buffer.from('\r\n')
  } else {
    throw new UsageError(`${path}: expected a file, a folder or a symbolic link`)
  }
}

async function * webPart (url: string, options: UploadOptions): AsyncGenerator<Uint8Array> {
  const response = await fetch(url, { signal: options.signal })
  if (!response.ok || response.body === null) throw new Error(`${url} answered with ${response.status} ${response.statusText}`)
  yield headOf(decodeURIComponent(basename(new URL(url).pathname)), 'application/octet-stream', options)
  yield * response.body
  yield Buffer.from('\r\n')
}

function headOf (name: string, type: string, { boundary }: UploadOptions): Buffer {
  return Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${encodeURIComponent(name)}"\r\nContent-Type: ${type}\r\n\r\n`)
}

async function entriesOf (path: string, takesHidden: boolean): Promise<readonly string[]> {
  return (await readdir(path)).filter(entry => takesHidden || !entry.startsWith('.')).sort()
}
