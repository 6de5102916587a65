import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import type { ArgumentSpec } from '../../cluster/api/kubo/request.ts'
import { checkBlockSize } from '../dag/block-size.ts'
import { codes, encodeRaw, requireCodec } from '../dag/codecs.ts'
import type { CodecName } from '../dag/codecs.ts'
import { refuseInexact } from '../dag/exact-input.ts'
import { cidOf, hashByName } from '../dag/hashes.ts'
import type { Hash } from '../dag/hashes.ts'
import { resolveArgument, resolvePath, valueAt } from '../dag/resolve.ts'
import type { Resolved } from '../dag/resolve.ts'
import { parsePath } from '../dag/cid-text.ts'
import { onlineOptions, readOptions } from '../node.ts'
import type { EmbeddedNode } from '../node.ts'
import { command, line } from '../rpc/command.ts'
import type { Call, Command, Emitted } from '../rpc/command.ts'
import { KuboError, messageOf } from '../rpc/kubo-error.ts'
import { filesOf, readAll } from '../rpc/uploads.ts'
import type { CID } from 'multiformats/cid'

const refArgument: ArgumentSpec = { name: 'ref', kind: 'string', required: true, variadic: false, stdin: true }

export function dagCommands (node: EmbeddedNode): readonly Command[] {
  return [dagPut(node), dagGet(node), dagResolve(node)]
}

interface PutLayout { readonly from: number, readonly to: number, readonly hash: Hash, readonly allowBig: boolean, readonly pin: boolean }

function dagPut (node: EmbeddedNode): Command {
  return command({
    path: 'dag/put',
    args: [{ name: 'object data', kind: 'file', required: true, variadic: true, stdin: true }],
    options: {
      'store-codec': { type: 'string', fallback: 'dag-cbor' },
      'input-codec': { type: 'string', fallback: 'dag-json' },
      pin: { type: 'bool', fallback: false },
      hash: { type: 'string' },
      'allow-big-block': { type: 'bool', fallback: false }
    },
    run (call) {
      const { options } = call
      const hashName = options.hash ?? node.imports.hash
      const hash = hashByName(hashName)
      const from = codeOf(options['input-codec'])
      const to = codeOf(options['store-codec'])
      if (hash === undefined) throw new KuboError(`unknown multicodec: ${quoteGo(hashName)}`)
      return { kind: 'many', values: putNodes(node, call, { from, to, hash, allowBig: options['allow-big-block'], pin: options.pin }) }
    }
  })
}

function codeOf (name: string): number {
  if (!Object.hasOwn(codes, name)) throw new KuboError(`unknown multicodec: ${quoteGo(name)}`)
  return codes[name as CodecName]
}

async function * putNodes ({ blocks, pinning, lock }: EmbeddedNode, call: Call, { from, to, hash, allowBig, pin }: PutLayout): AsyncGenerator<Emitted> {
  using _lock = pin ? await lock.forPinning(call) : undefined
  const put: CID[] = []
  for await (const { body } of filesOf(call.parts, 'expected a regular file')) {
    const input = await readAll(body)
    let bytes: Uint8Array
    try {
      const value = requireCodec(from).decode(input)
      refuseInexact(input, from)
      bytes = requireCodec(to).encode(value)
    } catch (err) {
      if (!isCutShort(input, from)) throw jsonError(input, err)
      if (put.length > 0 || isBetweenTokens(input.toString('utf8'))) return // Kubo takes the end of input for the end of the parts
      throw new KuboError('unexpected EOF', { cause: err })
    }
    checkBlockSize(bytes, allowBig)
    const cid = cidOf(bytes, { version: 1, codec: to, hash })
    await blocks.put(cid, bytes)
    put.push(cid)
    yield line({ Cid: { '/': cid.toString() } }, `${call.showCid(cid)}\n`)
  }
  if (pin) for (const cid of put) await pinning.mark(cid, '')
}

/** Whether a list or map breaks off where Go's decoder stands between two of its parts: then it sees no more than the end. */
function isBetweenTokens (text: string): boolean {
  const quotes = text.replaceAll(/\\./g, '').split('"').length - 1
  return /^\s*[[{]/.test(text) && quotes % 2 === 0 && !/[a-z]$/.test(text)
}

/** Whether more input could have made it whole. */
function isCutShort (input: Buffer, codec: number): boolean {
  if (input.length === 0) return true
  if (codec !== codes['dag-json']) return false
  try {
    JSON.parse(input.toString('utf8'))
    return false
  } catch (err) {
    return /Unexpected end of JSON input|Unterminated string|Expected .* at position \d+ \(line/.test(messageOf(err)) && new RegExp(`at position ${input.length}\\b|end of JSON input`).test(messageOf(err))
  }
}

/** The two mistakes that Kubo's decoder words in a way worth keeping. */
function jsonError (input: Buffer, err: unknown): KuboError {
  if (err instanceof KuboError) return err
  const text = input.toString('utf8')
  const literal = /^(n)(?!ull)(\S*)/.exec(text)
  if (literal !== null) return new KuboError(`invalid literal suffix: expected "ull", got ${quoteGo(literal[2]!)}`, { cause: err })
  if (/terminal|trailing|extra|remainder/i.test(messageOf(err))) return new KuboError('unexpected content after end of json object', { cause: err })
  return new KuboError(messageOf(err), { cause: err })
}

function dagGet ({ blocks }: EmbeddedNode): Command {
  return command({
    path: 'dag/get',
    args: [refArgument],
    options: { 'output-codec': { type: 'string', fallback: 'dag-json' } },
    async run (call) {
      const output = codeOf(call.options['output-codec'])
      const options = readOptions(call)
      const { cid, remainder } = await resolveAny(call.args[0]!, blocks, options)
      const value = valueAt(requireCodec(cid.code).decode(await blocks.get(cid, options)), remainder)
      return { kind: 'bytes', contentType: 'text/plain', bytes: encoded(value, output, cid.code === codes['dag-pb'] && remainder.length === 0 ? 'dagpb.PBNode' : undefined) }
    }
  })
}

/** `/ipld/…` goes through nodes as they are, `/ipfs/…` through names of directories. */
async function resolveAny (argument: string, blocks: EmbeddedNode['blocks'], options: ReturnType<typeof readOptions>): Promise<Resolved> {
  const path = parsePath(argument)
  return path.namespace === 'ipld' ? await resolvePath(path, blocks, options) : await resolveArgument(argument, blocks, options)
}

async function * encoded (value: unknown, codec: number, name: string | undefined): AsyncGenerator<Uint8Array> {
  yield new Uint8Array() // the answer has begun when the encoder finds that the value does not fit
  yield codec === codes.raw ? encodeRaw(value, name) : requireCodec(codec).encode(value)
}

function dagResolve ({ blocks }: EmbeddedNode): Command {
  return command({
    path: 'dag/resolve',
    args: [refArgument],
    options: {},
    async run (call) {
      const { cid, remainder } = await resolveAny(call.args[0]!, blocks, onlineOptions(call))
      const rest = remainder.map(segment => `/${segment}`).join('')
      return { kind: 'one', value: line({ Cid: { '/': cid.toString() }, RemPath: rest }, `${call.showCid(cid)}${rest}`) }
    }
  })
}
