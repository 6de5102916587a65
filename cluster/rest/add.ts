import { addEntries } from '../../adder/entries.ts'
import type { AddOptions } from '../../adder/params.ts'
import { multipartBoundary, readMultipart } from '../api/kubo/multipart.ts'
import type { MultipartPart } from '../api/kubo/multipart.ts'
import type { PinOptions } from '../api/pin.ts'
import { linesAnswer, valueAnswer } from './answer.ts'
import type { Answer } from './answer.ts'
import { pinOptionsFromQuery } from './pin-query.ts'
import { RefusedError } from './rest-error.ts'
import type { RestCall } from './routes.ts'

const addNames: readonly string[] = [
  'local', 'recursive', 'hidden', 'wrap-with-directory', 'shard', 'stream-channels', 'progress', 'format', 'layout', 'chunker', 'raw-leaves', 'cid-version', 'hash', 'nocopy', 'no-pin'
]
const lineHeaders = { 'cache-control': 'no-cache', connection: 'close', 'x-chunked-output': '1' }

/** ipfs-cluster's AddedOutput: a progress row has no CID, zero numbers are left out. */
interface AddedJson { readonly name: string, readonly cid: string | null, readonly bytes?: number, readonly size?: number, readonly allocations?: readonly string[] }

/** `POST /add`: files, or one CAR with `format=car`, as one pin each or one around all of them. */
export async function addContent (call: RestCall): Promise<Answer> {
  const { query, request } = call
  const boundary = multipartBoundary(request.headers['content-type'] ?? '')
  if (boundary === undefined) throw new RefusedError(400, 'request Content-Type isn\'t multipart/form-data')
  const pin: PinOptions = { ...pinOptionsFromQuery(query, { nowMs: call.clock.now(), defaults: call.cluster.defaults, others: addNames }), mode: 'recursive', pinUpdate: undefined }
  const asked = readAsked(query)

  const rows = addedRows(call, readMultipart(request, boundary), pin, asked)
  if (asked.isStreamed) return linesAnswer(rows, lineHeaders)
  return valueAnswer(await Array.fromAsync(rows))
}

interface Asked { readonly isCar: boolean, readonly isStreamed: boolean, readonly options: AddOptions }

/** @throws RefusedError 400 for a value that is not understood, 501 for what is not there */
function readAsked (query: URLSearchParams): Asked {
  const is = (name: string, fallback = false): boolean => goBoolean(name, query.get(name), fallback)
  for (const name of ['shard', 'nocopy', 'no-pin']) if (is(name)) throw new RefusedError(501, `adding with ${name} is not supported by this version`)
  const format = oneOf(query, 'format', ['unixfs', 'car'])
  const layout = oneOf(query, 'layout', ['balanced', 'trickle'])
  const isWrapped = is('wrap-with-directory')
  if (format === 'car' && isWrapped) throw new RefusedError(400, 'wrap-with-directory is not supported with format=car')

  const cidVersion = query.get('cid-version') ?? ''
  if (!['', '0', '1'].includes(cidVersion)) throw new RefusedError(400, 'parameter cid-version invalid: expected 0 or 1')
  const text = (name: 'chunker' | 'hash'): AddOptions => query.get(name) ? { [name]: query.get(name)! } : {}
  return {
    isCar: format === 'car',
    isStreamed: is('stream-channels', true),
    options: {
      'wrap-with-directory': isWrapped,
      progress: is('progress'),
      trickle: layout === 'trickle',
      ...query.get('raw-leaves') && { 'raw-leaves': is('raw-leaves') },
      ...cidVersion !== '' && { 'cid-version': Number(cidVersion) },
      ...text('chunker'),
      ...text('hash')
    }
  }
}

async function * addedRows ({ adder, cluster, signal }: RestCall, parts: AsyncIterable<MultipartPart>, wished: PinOptions, { isCar, options }: Asked): AsyncGenerator<AddedJson> {
  const { peers: allocations } = await cluster.allocate(wished, { signal })
  const pin = { ...wished, userAllocations: allocations } // each row tells them, so they are to be those that get it
  if (isCar) {
    for await (const output of adder.importCars(bodies(parts), { allowBigBlock: false, stats: false, pin, wait: 'min', signal })) {
      if (output.kind !== 'root') continue
      if (output.pinError !== '') throw new Error(output.pinError)
      yield { name: pin.name, cid: output.cid.toString(), allocations }
    }
    return
  }
  for await (const output of adder.add(addEntries(parts), { options, pin, wait: 'min' }, { signal })) {
    if (output.kind === 'progress') yield { name: output.name, cid: null, ...output.bytes > 0 && { bytes: output.bytes } }
    else if (output.kind === 'added') yield { name: output.name, cid: output.cid.toString(), ...output.size > 0n && { size: Number(output.size) }, allocations }
  }
}

async function * bodies (parts: AsyncIterable<MultipartPart>): AsyncGenerator<AsyncIterable<Uint8Array>> {
  for await (const { body } of parts) yield body
}

function oneOf (query: URLSearchParams, name: string, words: readonly string[]): string | undefined {
  const value = query.get(name)
  if (value === null || value === '') return undefined
  if (!words.includes(value)) throw new RefusedError(400, `parameter ${name} invalid: expected ${words.join(' or ')}`)
  return value
}

/** Go's strconv.ParseBool. */
function goBoolean (name: string, value: string | null, fallback: boolean): boolean {
  if (value === null || value === '') return fallback
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  throw new RefusedError(400, `parameter ${name} invalid`)
}
