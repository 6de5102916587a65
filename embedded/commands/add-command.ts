import { addOptions } from '../../cluster/api/kubo/add-options.ts'
import { CID } from 'multiformats/cid'
import { addEntries } from '../adding/adder.ts'
import type { AddEvent } from '../adding/adder.ts'
import { entriesOf } from '../adding/entries.ts'
import type { UploadedEntry } from '../adding/entries.ts'
import { addSettings, checkAddOptions } from '../adding/settings.ts'
import { createFilesLinker } from './add-to-files.ts'
import { createBlockBatch } from '../dag/block-batch.ts'
import type { BlockBatch } from '../dag/block-batch.ts'
import type { EmbeddedNode } from '../node.ts'
import { command } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { createNodeWriter } from '../unixfs/node-writer.ts'

/** Go's bit for a symbolic link, and the permissions that one always has. */
const symlinkMode = 0o1000000777

export function addCommand (node: EmbeddedNode): Command {
  return command({
    path: 'add',
    args: [{ name: 'path', kind: 'file', required: true, variadic: true, stdin: true }],
    options: addOptions,
    run (call) {
      checkAddOptions(call.options)
      call.showCid(anyCid)
      return { kind: 'many', values: add(node, call) }
    }
  })
}

/** Any CID will do to find out whether `cid-base` can be heeded, before anything is read. */
const anyCid = CID.parse('QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn')

async function * add (node: EmbeddedNode, call: Call<typeof addOptions>): AsyncGenerator<Emitted> {
  const { options } = call
  const isKept = options['only-hash'] !== true
  const batch = !isKept ? discarding : createBlockBatch(node.blocks)
  // Held from the first byte to the last pin or link: no collection takes a block of this upload in between. Without either Kubo holds none.
  using _lock = isKept && (options.pin || options['to-files'] !== undefined) ? await node.lock.forPinning(call) : undefined
  const events = addEntries(
    entriesOf(call.parts),
    () => addSettings(options, node.imports),
    settings => createNodeWriter(settings, (cid, bytes) => batch.put(cid, bytes)),
    { isWrapped: options['wrap-with-directory'] === true, tellsProgress: options.progress === true }
  )
  const linkToFiles = options['to-files'] === undefined ? undefined : createFilesLinker(node, call, options['to-files'])
  let isAnything = false
  for await (const event of events) {
    call.signal.throwIfAborted()
    if (!isAnything && event.kind !== 'progress') await batch.written() // a disk that is full is told of by the status, not behind it
    isAnything = true
    if (event.kind !== 'root') {
      if (event.kind !== 'file' || options.silent !== true) yield eventLine(event, call.showCid)
      continue
    }
    await batch.written()
    if (options.pin && isKept) await node.pinning.mark(event.node.cid, options['pin-name'] ?? '')
    await linkToFiles?.(event)
  }
  if (!isAnything) throw new KuboError('expected a file argument')
}

const discarding: BlockBatch = { async put () { /* nothing is kept */ }, async written () { /* nothing was */ } }

function eventLine (event: Exclude<AddEvent, { kind: 'root' }>, showCid: Call['showCid']): Emitted {
  const { top, name } = event
  const shown = event.kind === 'progress' ? undefined : showCid(event.node.cid)
  const bytes = event.kind === 'progress' && event.bytes > 0 ? event.bytes : undefined
  const size = event.kind === 'progress' ? undefined : String(event.node.totalSize)
  const mode = modeOf(top)
  const seconds = top.mtime?.seconds ?? 0n
  const nanoseconds = top.mtime?.nanoseconds ?? 0
  const isUnnamed = event.kind === 'file' && event.top.path.length === 0 && name === event.node.cid.toString()
  const json = {
    Name: isUnnamed ? shown! : name,
    Hash: shown,
    Bytes: bytes,
    Size: size,
    Mode: mode === 0 ? undefined : `0${mode.toString(8)}`,
    Mtime: seconds === 0n ? undefined : seconds,
    MtimeNsecs: nanoseconds === 0 ? undefined : nanoseconds
  }
  const printed = `&{${json.Name} ${shown ?? ''} %!s(int64=${bytes ?? 0}) ${size ?? ''} ${json.Mode ?? ''} %!s(int64=${seconds}) %!s(int=${nanoseconds})}`
  const xml = { name: 'AddEvent', fields: [['Name', json.Name], ['Hash', shown ?? ''], ['Bytes', bytes ?? 0], ['Size', size ?? ''], ['Mode', json.Mode ?? ''], ['Mtime', seconds], ['MtimeNsecs', nanoseconds]] } as const
  return { json, printed, xml }
}

function modeOf ({ kind, path, mode }: UploadedEntry): number {
  return kind === 'symlink' && path.length <= 1 ? symlinkMode : mode
}
