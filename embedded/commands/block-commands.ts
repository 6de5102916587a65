import type { CID } from 'multiformats/cid'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import type { ArgumentSpec } from '../../cluster/api/kubo/request.ts'
import { BlockNotFoundError } from '../dag/block-service.ts'
import { codes } from '../dag/codecs.ts'
import type { CodecName } from '../dag/codecs.ts'
import { cidOf, hashByName, isInsecureHash } from '../dag/hashes.ts'
import type { Hash } from '../dag/hashes.ts'
import { resolveArgument } from '../dag/resolve.ts'
import { readOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { checkBlockSize } from '../dag/block-size.ts'
import { filesOf, readAll } from '../rpc/uploads.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'

const cidArgument: ArgumentSpec = { name: 'cid', kind: 'string', required: true, variadic: false, stdin: true }
/** Names that `format` took before there was `cid-codec`. */
const legacyFormats: Readonly<Record<string, CodecName>> = { protobuf: 'dag-pb', cbor: 'dag-cbor', raw: 'raw' }

interface Layout { readonly version: 0 | 1, readonly codec: number, readonly hash: Hash, readonly length: number }

export function blockCommands (node: EmbeddedNode): readonly Command[] {
  return [blockPut(node), blockGet(node), blockStat(node), blockRm(node)]
}

function blockPut (node: EmbeddedNode): Command {
  return command({
    path: 'block/put',
    args: [{ name: 'data', kind: 'file', required: true, variadic: true, stdin: true }],
    options: {
      'cid-codec': { type: 'string', fallback: 'raw' },
      mhtype: { type: 'string' },
      mhlen: { type: 'int', fallback: -1 },
      pin: { type: 'bool', fallback: false },
      'allow-big-block': { type: 'bool', fallback: false },
      format: { type: 'string', aliases: ['f'] }
    },
    run (call) {
      const { options } = call
      const hashName = options.mhtype ?? node.imports.hash
      const hash = hashName === hashName.toLowerCase() ? hashByName(hashName) : undefined
      if (hash === undefined && !isInsecureHash(hashName)) throw new KuboError(`unrecognized multihash function: ${hashName}`)
      if (options.format !== undefined && options['cid-codec'] !== 'raw') throw new KuboError('unable to use "format" (deprecated) and a custom "cid-codec" at the same time')
      const layout = { hash, hashName, length: options.mhlen, format: options.format, codec: options['cid-codec'] }
      return { kind: 'many', values: putBlocks(node, call, () => layoutOf(layout), options.pin, options['allow-big-block']) }
    }
  })
}

/** Kubo looks at these when the first block is there. */
function layoutOf ({ hash, hashName, length, format, codec }: { hash: Hash | undefined, hashName: string, length: number, format: string | undefined, codec: string }): Layout {
  if (format === 'v0') {
    if (hashName !== 'sha2-256' || (length !== -1 && length !== 32)) throw new KuboError('only sha2-255-32 is allowed with CIDv0')
    return { version: 0, codec: codes['dag-pb'], hash: hash!, length }
  }
  const name = format === undefined ? codec : legacyFormats[format] ?? format
  const code = Object.hasOwn(codes, name) ? codes[name as CodecName] : undefined
  if (code === undefined) throw new KuboError(`unknown multicodec: ${quoteGo(name)}`)
  if (hash === undefined) throw new KuboError('potentially insecure hash functions not allowed')
  return { version: 1, codec: code, hash, length }
}

async function * putBlocks ({ blocks, pinning, lock }: EmbeddedNode, call: Call, layout: () => Layout, pin: boolean, allowBig: boolean): AsyncGenerator<Emitted> {
  for await (const { body } of filesOf(call.parts, 'expected a file')) {
    const bytes = await readAll(body)
    const cid = cidOf(bytes, layout())
    using _lock = pin ? await lock.forPinning(call) : undefined
    await blocks.put(cid, bytes)
    checkBlockSize(bytes, allowBig)
    if (pin) await pinning.mark(cid, '')
    const key = call.showCid(cid)
    yield line({ Key: key, Size: bytes.length }, `${key}\n`)
  }
}

function blockGet ({ blocks }: EmbeddedNode): Command {
  return command({
    path: 'block/get',
    args: [cidArgument],
    options: {},
    async run (call) {
      const { cid } = await resolveArgument(call.args[0]!, blocks, readOptions(call))
      const bytes = await blocks.get(cid, readOptions(call))
      return { kind: 'bytes', contentType: 'application/vnd.ipld.raw', bytes: only(bytes) }
    }
  })
}

async function * only (bytes: Uint8Array): AsyncGenerator<Uint8Array> { yield bytes }

function blockStat ({ blocks }: EmbeddedNode): Command {
  return command({
    path: 'block/stat',
    args: [cidArgument],
    options: {},
    async run (call) {
      const { cid } = await resolveArgument(call.args[0]!, blocks, readOptions(call))
      const { length } = await blocks.get(cid, readOptions(call))
      const key = call.showCid(cid)
      return { kind: 'one', value: line({ Key: key, Size: length }, `Key: ${key}\nSize: ${length}\n`) }
    }
  })
}

function blockRm (node: EmbeddedNode): Command {
  return command({
    path: 'block/rm',
    args: [{ name: 'cid', kind: 'string', required: true, variadic: true, stdin: false }],
    options: { force: { type: 'bool', aliases: ['f'] }, quiet: { type: 'bool', aliases: ['q'] } },
    async run (call) {
      const cids: CID[] = []
      for (const argument of call.args) cids.push((await resolveArgument(argument, node.blocks, readOptions(call))).cid)
      return { kind: 'many', values: removeBlocks(node, call, cids, call.options.force === true, call.options.quiet === true) }
    }
  })
}

async function * removeBlocks ({ blocks, pinning, lock }: EmbeddedNode, call: Call, cids: readonly CID[], force: boolean, quiet: boolean): AsyncGenerator<Emitted> {
  using _lock = await lock.forCollecting(call)
  for (const cid of cids) {
    const key = call.showCid(cid)
    const refuse = (why: string): Emitted => ({ json: { Hash: key, Error: why }, printed: `&{${key} ${why}}` })
    const holding = await pinning.holding(cid, { signal: call.signal, offline: true }).catch((err: unknown) => new KuboError(`pin check failed: ${messageOf(err)}`))
    if (holding instanceof KuboError) {
      yield refuse(holding.message)
    } else if (holding !== undefined) {
      yield refuse(holding.mode === 'indirect' ? `pinned via ${holding.through.toString()}` : `pinned: ${holding.mode}`)
    } else if (!force && !blocks.has(cid)) {
      yield refuse(new BlockNotFoundError(cid, 'here').message)
    } else {
      await blocks.delete(cid)
      if (!quiet) yield { json: { Hash: key }, printed: `&{${key} }` }
    }
  }
}
