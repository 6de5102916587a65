import { fromGoBytes } from '../../cluster/api/kubo/go-text.ts'
import type { CID } from 'multiformats/cid'
import { createBlockBatch } from '../dag/block-batch.ts'
import type { BlockBatch } from '../dag/block-batch.ts'
import { BlockNotFoundError } from '../dag/block-service.ts'
import { checkBlockSize } from '../dag/block-size.ts'
import { openCar } from '../dag/car.ts'
import type { CarSection } from '../dag/car.ts'
import { linksOf } from '../dag/codecs.ts'
import { rehash } from '../dag/hashes.ts'
import { onlineOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { filesOf } from '../rpc/uploads.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'

const options = {
  'pin-roots': { type: 'bool' },
  'local-only': { type: 'bool' },
  silent: { type: 'bool' },
  stats: { type: 'bool' },
  'fast-provide-root': { type: 'bool' },
  'fast-provide-dag': { type: 'bool' },
  'fast-provide-wait': { type: 'bool' },
  'allow-big-block': { type: 'bool', fallback: false }
} as const

interface Imported { blocks: number, bytes: number, readonly roots: Map<string, CID> }

export function dagImport (node: EmbeddedNode): Command {
  return command({
    path: 'dag/import',
    args: [{ name: 'path', kind: 'file', required: true, variadic: true, stdin: true }],
    options,
    run (call) {
      const { 'pin-roots': pinRoots, 'local-only': localOnly = false, stats = false, 'allow-big-block': allowBig } = call.options
      if (localOnly && pinRoots === true) throw new KuboError('--local-only implies --pin-roots=false and cannot be combined with --pin-roots=true; please drop one of them')
      return { kind: 'many', values: importAll(node, call, { pins: pinRoots ?? !localOnly, stats, allowBig }) }
    }
  })
}

async function * importAll (node: EmbeddedNode, call: Call, { pins, stats, allowBig }: { pins: boolean, stats: boolean, allowBig: boolean }): AsyncGenerator<Emitted> {
  // From the first byte to the last pin: no collection takes a block of this upload in between.
  using _lock = pins ? await node.lock.forPinning(call) : undefined
  const imported: Imported = { blocks: 0, bytes: 0, roots: new Map() }
  const batch = createBlockBatch(node.blocks)
  try {
    for await (const { body } of filesOf(call.parts, 'expected a file handle')) await importCar(body, batch, allowBig, imported)
  } finally {
    await batch.written()
  }

  if (pins) {
    for (const cid of imported.roots.values()) yield rootLine(cid, await pinRoot(node, call, cid))
  }
  if (!stats) return
  const printed = `&{%!s(*dagcmd.RootMeta=<nil>) %!s(*dagcmd.CarImportStats=&{${imported.blocks} ${imported.bytes}})}`
  yield { ...line({ Stats: { BlockCount: imported.blocks, BlockBytesCount: imported.bytes } }, `Imported ${imported.blocks} blocks (${imported.bytes} bytes)\n`), printed, xml: { name: 'CarImportOutput', fields: [['Stats', [['BlockCount', imported.blocks], ['BlockBytesCount', imported.bytes]]]] } }
}

async function importCar (body: AsyncIterable<Uint8Array>, batch: BlockBatch, allowBig: boolean, imported: Imported): Promise<void> {
  const car = await openCar(body)
  if (car === undefined) return
  for (const root of car.roots) imported.roots.set(root.toString(), root)
  for await (const section of checked(car.sections)) {
    const { cid, bytes } = section
    try {
      checkBlockSize(bytes, allowBig)
      linksOf(cid, bytes)
    } catch (err) {
      throw new KuboError(`import failed at block "${cid.toString()}": ${messageOf(err)}`, { cause: err })
    }
    await batch.put(cid, bytes)
    imported.blocks++
    imported.bytes += bytes.length
  }
}

/** Sections whose bytes are what their CIDs say. */
async function * checked (sections: AsyncIterable<CarSection>): AsyncGenerator<CarSection> {
  const last: { cid?: CID } = {}
  try {
    for await (const section of sections) {
      const { cid, bytes } = section
      const actual = rehash(cid, bytes)
      if (actual === undefined) throw new Error(`unknown multihash code ${cid.multihash.code}`)
      if (!actual.equals(cid)) throw new Error(`mismatch in content integrity, expected: ${section.cid.toString()}, got: ${actual.toString()}`)
      yield section
      last.cid = cid
    }
  } catch (err) {
    if (err instanceof KuboError) throw err
    throw new KuboError(`import failed${last.cid === undefined ? '' : ` after block "${last.cid.toString()}"`}: ${messageOf(err)}`, { cause: err })
  }
}

async function pinRoot ({ blocks, pinning }: EmbeddedNode, call: Call, cid: CID): Promise<string> {
  try {
    if (!blocks.has(cid)) throw new BlockNotFoundError(cid, 'here')
    await pinning.add(cid, 'recursive', '', onlineOptions(call))
    return ''
  } catch (err) {
    return messageOf(err)
  }
}

/** A client that reads text is told of a pin that failed by an error, others by a field. */
function rootLine (cid: CID, why: string): Emitted {
  const shown = cid.toString()
  const printed = `&{%!s(*dagcmd.RootMeta=&{{${fromGoBytes(cid.bytes)}} ${why}}) %!s(*dagcmd.CarImportStats=<nil>)}`
  const text = (): string => {
    if (why !== '') throw new KuboError(`pinning root ${JSON.stringify(shown)} FAILED: ${why}`)
    return `Pinned root\t${shown}\tsuccess\n`
  }
  const xml = { name: 'CarImportOutput', fields: [['Root', [['Cid', shown], ['PinErrorMsg', why]]]] } as const
  return { ...line({ Root: { Cid: { '/': shown }, PinErrorMsg: why } }, text), printed, xml }
}
