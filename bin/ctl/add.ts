import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { randomUUID } from 'node:crypto'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import type { CommandContext } from './commands.ts'
import { addedText, cidText } from './print.ts'
import { waitFor, wishQuery } from './wishes.ts'

interface Added { readonly name: string, readonly cid: string }

/** `add`: what is found under the paths, as one streamed upload; lines are shown as they come. */
export async function addPaths (context: CommandContext): Promise<void> {
  const { client, args, flags, show } = context
  const query = addQuery(flags, args.length)
  for (const path of args) await refuseFolder(path, flags)

  const boundary = `ipfs-quorum-${randomUUID()}`
  const upload = { contentType: `multipart/form-data; boundary=${boundary}`, body: () => multipart(args, flags.is('hidden'), boundary) }
  const isQuieter = flags.is('quieter')
  const text = flags.is('quiet') || isQuieter ? cidText : addedText
  const kept: Added[] = []
  let last: Added | undefined
  for await (const line of client.lines('POST', `/add?${query}`, upload)) {
    last = line as Added
    if (flags.is('no-stream')) kept.push(last)
    else if (!isQuieter) show(last, text)
  }

  if (last === undefined) return
  if (isQuieter) show(last, text)
  else if (flags.is('no-stream')) show(kept, all => (all as Added[]).map(text).join(''))
  if (flags.is('wait')) {
    const { replication_factor_min: min } = await client.one('GET', `/allocations/${last.cid}`) as { replication_factor_min: number }
    await waitFor(context, last.cid, 'pinned', min)
  }
}

function addQuery (flags: Values, paths: number): URLSearchParams {
  const query = wishQuery(flags)
  const isWrapped = flags.is('wrap-with-directory') || paths > 1
  const format = flags.text('format') ?? 'unixfs'
  if (isWrapped && format === 'car') throw new UsageError('only a single CAR file can be added and wrap-with-directory is not supported')

  for (const name of ['layout', 'chunker', 'hash', 'cid-version']) {
    const value = flags.text(name)
    if (value !== undefined) query.set(name, value)
  }
  if (flags.text('hash') !== undefined && flags.text('hash') !== 'sha2-256') query.set('cid-version', '1')
  if (flags.is('raw-leaves') || Number(query.get('cid-version') ?? 0) > 0) query.set('raw-leaves', 'true')
  for (const name of ['recursive', 'hidden']) if (flags.is(name)) query.set(name, 'true')
  if (isWrapped) query.set('wrap-with-directory', 'true')
  if (format !== 'unixfs') query.set('format', format)
  query.set('stream-channels', 'true')
  return query
}

async function refuseFolder (path: string, flags: Values): Promise<void> {
  const found = await stat(path).catch((err: Error) => { throw new UsageError(err.message) })
  if (found.isDirectory() && !flags.is('recursive')) throw new UsageError(`${path} is a directory, use the '-r' flag to specify directories`)
}

/** One part an entry, folders before what is in them. Names are escaped as Kubo's clients do. */
async function * multipart (paths: readonly string[], takesHidden: boolean, boundary: string): AsyncGenerator<Uint8Array> {
  for (const path of paths) yield * parts(path, basename(resolve(path)), takesHidden, boundary)
  yield Buffer.from(`--${boundary}--\r\n`)
}

async function * parts (path: string, name: string, takesHidden: boolean, boundary: string): AsyncGenerator<Uint8Array> {
  const found = await lstat(path)
  const head = (type: string): Buffer => Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${encodeURIComponent(name)}"\r\nContent-Type: ${type}\r\n\r\n`)
  if (found.isSymbolicLink()) {
    yield Buffer.concat([head('application/symlink'), Buffer.from(await readlink(path)), Buffer.from('\r\n')])
  } else if (found.isDirectory()) {
    yield Buffer.concat([head('application/x-directory'), Buffer.from('\r\n')])
    for (const entry of (await readdir(path)).sort()) {
      if (takesHidden || !entry.startsWith('.')) yield * parts(join(path, entry), `${name}/${entry}`, takesHidden, boundary)
    }
  } else if (found.isFile()) {
    yield head('application/octet-stream')
    yield * createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
    yield Buffer.from('\r\n')
  } else {
    throw new UsageError(`${path}: expected a file, a folder or a symbolic link`)
  }
}
