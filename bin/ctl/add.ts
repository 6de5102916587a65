import { lstat } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { UsageError } from '../args.ts'
import type { Values } from '../args.ts'
import type { CommandContext } from './commands.ts'
import { sizeText } from './humanized.ts'
import { addedText, cidText } from './print.ts'
import type { Progress } from './progress.ts'
import { bytesUnder, isUrl, uploadOf } from './upload.ts'
import { waitFor, wishQuery } from './wishes.ts'

interface Added { readonly name: string, readonly cid: string }

/** `add`: what is found under the paths and addresses, as one streamed upload; lines are shown as they come. */
export async function addPaths (context: CommandContext): Promise<void> {
  const { client, args, flags, show, progress } = context
  const query = await addQuery(flags, args)
  for (const path of args) if (!isUrl(path)) await refuseFolder(path, flags)

  const takesHidden = flags.is('hidden')
  const boundary = `ipfs-quorum-${randomUUID()}`
  const upload = { contentType: `multipart/form-data; boundary=${boundary}`, body: () => watched(uploadOf(args, { takesHidden, boundary, signal: context.signal }), args, takesHidden, progress) }
  const isQuieter = flags.is('quieter')
  const text = flags.is('quiet') || isQuieter ? cidText : addedText
  const kept: Added[] = []
  const roots = new Set<string>()
  for await (const line of client.lines('POST', `/add?${query}`, upload)) {
    const added = line as Added
    // Of files the last line is the root, of CARs each one is.
    if (flags.text('format') !== 'car') roots.clear()
    roots.add(added.cid)
    if (isQuieter) kept.splice(0, 1, added)
    else if (flags.is('no-stream')) kept.push(added)
    else show(added, text)
  }

  progress.clear()
  if (kept.length > 0 && flags.is('no-stream')) show(kept, (all, paint) => (all as Added[]).map(one => text(one, paint)).join(''))
  else for (const one of kept) show(one, text)
  if (!flags.is('wait') && flags.text('wait-timeout') === undefined) return
  for (const cid of roots) {
    const { replication_factor_min: min } = await client.one('GET', `/allocations/${cid}`) as { replication_factor_min: number }
    await waitFor(context, cid, 'pinned', min)
  }
}

async function addQuery (flags: Values, paths: readonly string[]): Promise<URLSearchParams> {
  const query = await wishQuery(flags)
  const isWrapped = flags.is('wrap-with-directory') || paths.length > 1
  const format = flags.text('format')!
  if (isWrapped && format === 'car') throw new UsageError('only a single CAR file can be added and wrap-with-directory is not supported')
  if (flags.is('nocopy') && !paths.every(isUrl)) throw new UsageError('--nocopy is for addresses (http:// or https://) only: the daemon refers to them')
  if (flags.is('no-pin') && flags.is('wait')) throw new UsageError('--wait waits for a pin, and --no-pin makes none')

  for (const name of ['layout', 'chunker', 'hash', 'cid-version']) {
    const value = flags.text(name)
    if (value !== undefined && value !== '') query.set(name, value)
  }
  if (flags.text('hash') !== undefined && flags.text('hash') !== 'sha2-256') query.set('cid-version', '1')
  if (flags.is('raw-leaves') || flags.is('nocopy') || Number(query.get('cid-version') ?? 0) > 0) query.set('raw-leaves', 'true')
  for (const name of ['recursive', 'hidden', 'local', 'no-pin', 'nocopy']) if (flags.is(name)) query.set(name, 'true')
  if (isWrapped) query.set('wrap-with-directory', 'true')
  if (format !== 'unixfs') query.set('format', format)
  query.set('stream-channels', 'true')
  return query
}

async function refuseFolder (path: string, flags: Values): Promise<void> {
  const found = await lstat(path).catch((err: Error) => { throw new UsageError(err.message) })
  if (found.isDirectory() && !flags.is('recursive')) throw new UsageError(`${path} is a directory, use the '-r' flag to specify directories`)
}

/** The same bytes; how many have gone is shown to who looks on. */
async function * watched (body: AsyncIterable<Uint8Array>, paths: readonly string[], takesHidden: boolean, progress: Progress): AsyncGenerator<Uint8Array> {
  const total = progress.isSeen ? await bytesUnder(paths, takesHidden) : undefined
  let sent = 0
  for await (const bytes of body) {
    yield bytes
    sent += bytes.byteLength
    if (total === undefined) progress.show(`${sizeText(sent)} sent`)
    else progress.bar(Math.min(sent, total), total, sizeText)
  }
  progress.show(`${sizeText(sent)} sent; waiting until enough peers hold it`)
}
