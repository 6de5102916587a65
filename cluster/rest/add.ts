import type { AddParams } from '../../adder/params.ts'
import { addEntries } from '../../adder/entries.ts'
import { multipartBoundary, readMultipart } from '../api/kubo/multipart.ts'
import type { MultipartPart } from '../api/kubo/multipart.ts'
import type { PeerId, PinOptions } from '../api/pin.ts'
import { linesAnswer, valueAnswer } from './answer.ts'
import { chunker, flag, integer, optionalFlag, text, word } from './parameters.ts'
import type { ValuesOf } from './parameters.ts'
import { pinOptionsOf, pinParameters } from './pin-query.ts'
import { RefusedError } from './rest-error.ts'
import { route } from './route.ts'
import type { RestCall, Route } from './route.ts'

const addQuery = {
  ...pinParameters,
  local: flag('Send the content to this peer\'s daemon only; the others that are to hold it fetch it from there.'),
  wait: word('What the line of a root waits for: that the pin is agreed, that enough peers hold it, that all chosen ones do. An addition.', ['commit', 'min', 'all'], 'min'),
  'no-pin': flag('Bring the content to the daemons and pin nothing.'),
  'stream-channels': flag('A line each as it comes; false is one array at the end.', true),
  progress: flag('Lines with how many bytes of a file were read.'),
  format: word('What the upload is: files, or CARs (version 1 or 2, with any number of roots).', ['unixfs', 'car'], 'unixfs'),
  'wrap-with-directory': flag('Put a directory around all of it, which is then the one pin.'),
  wrap: flag('The same: the JavaScript client\'s word.'),
  layout: word('How files are laid out.', ['balanced', 'trickle'], 'balanced'),
  chunker: chunker('How files are cut: size-N, rabin, rabin-AVG, rabin-MIN-AVG-MAX or buzhash.'),
  'raw-leaves': optionalFlag('Leaves as raw blocks; if it is not given, as the CID version has it.'),
  'cid-version': integer('0 or 1. Version 1 has raw leaves unless they are refused.', { min: 0, max: 1 }),
  hash: text('The hash function, like sha2-256.', 64),
  recursive: flag('Says nothing here: the upload has its folders.'),
  hidden: flag('Says nothing here: the upload has its hidden files.'),
  shard: flag('Refused: a DAG is not spread over several peers here.'),
  nocopy: flag('Refused: files are uploaded, so the daemon has no path to refer to.'),
  'no-copy': flag('The same: the JavaScript client\'s word.')
} as const
type AddQuery = ValuesOf<typeof addQuery>

const lineHeaders = { 'cache-control': 'no-cache', connection: 'close', 'x-chunked-output': '1' }

/** ipfs-cluster's AddedOutput: a progress row has no CID, zero numbers are left out. */
interface AddedJson { readonly name: string, readonly cid: string | null, readonly bytes?: number, readonly size?: number, readonly allocations?: readonly string[] }

export const addRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/add',
    about: 'Adds files, each one at the top a pin of its own, or CARs, each root a pin.',
    query: addQuery,
    takesMetadata: true,
    body: { type: 'multipart/form-data', schema: { type: 'object', properties: { file: { type: 'string', contentMediaType: 'application/octet-stream' } } } },
    answer: { kind: 'lines or list', of: 'AddedOutput' }
  }, async call => {
    const { query, request } = call
    const boundary = multipartBoundary(request.headers['content-type'] ?? '')
    if (boundary === undefined) throw new RefusedError(400, 'request Content-Type isn\'t multipart/form-data')
    const params = paramsOf(call)
    const rows = addedRows(call, readMultipart(request, boundary), params)
    return query['stream-channels'] ? linesAnswer(rows, lineHeaders) : valueAnswer(await Array.fromAsync(rows))
  })
]

/** @throws RefusedError 400 for what cannot be done here */
function paramsOf ({ query, metadata, cluster, clock }: RestCall<AddQuery>): AddParams & { readonly pin: PinOptions } {
  if (query.shard) throw new RefusedError(400, 'parameter shard invalid: here each peer that holds content holds all of it, so nothing is sharded; add without it')
  if (query.nocopy || query['no-copy']) throw new RefusedError(400, 'parameter nocopy invalid: the files come as an upload, so the daemon has no path that it could refer to; add without it, or with ipfs add --nocopy on the daemon\'s machine')
  const isWrapped = query['wrap-with-directory'] || query.wrap
  if (query.format === 'car' && isWrapped) throw new RefusedError(400, 'wrap-with-directory is not supported with format=car')
  if (query.mode === 'direct') throw new RefusedError(400, 'parameter mode invalid: what is added is pinned with all below it')
  if (query['pin-update'] !== undefined) throw new RefusedError(400, 'parameter pin-update invalid: what is added is a pin of its own; add it, then update the old pin to it')

  return {
    pin: pinOptionsOf(query, metadata, { nowMs: clock.now(), defaults: cluster.defaults }),
    wait: query.wait,
    isLocal: query.local,
    isUnpinned: query['no-pin'],
    options: {
      'wrap-with-directory': isWrapped,
      progress: query.progress,
      trickle: query.layout === 'trickle',
      ...query['raw-leaves'] !== undefined && { 'raw-leaves': query['raw-leaves'] },
      ...query['cid-version'] !== undefined && { 'cid-version': query['cid-version'] },
      ...query.chunker !== '' && { chunker: query.chunker },
      ...query.hash !== '' && { hash: query.hash }
    }
  }
}

async function * addedRows (call: RestCall<AddQuery>, parts: AsyncIterable<MultipartPart>, { pin: wished, ...params }: ReturnType<typeof paramsOf>): AsyncGenerator<AddedJson> {
  const { adder, query, signal } = call
  const allocations = await allocationsOf(call, wished)
  const pin = { ...wished, userAllocations: allocations } // each row tells them, so they are to be those that get it
  if (query.format === 'car') {
    let rootCount = 0
    for await (const output of adder.importCars(bodies(parts), { ...params, allowBigBlock: false, stats: false, pin, signal })) {
      if (output.kind !== 'root') continue
      if (output.pinError !== '') throw new Error(output.pinError)
      rootCount++
      yield { name: pin.name, cid: output.cid.toString(), allocations }
    }
    if (rootCount === 0) throw new RefusedError(400, 'the upload has no CAR that names a root')
    return
  }
  for await (const output of adder.add(addEntries(parts), { ...params, pin }, { signal })) {
    if (output.kind === 'progress') yield { name: output.name, cid: null, ...output.bytes > 0 && { bytes: output.bytes } }
    else if (output.kind === 'added') yield { name: output.name, cid: output.cid.toString(), ...output.size > 0n && { size: Number(output.size) }, allocations }
  }
}

/** As in ipfs-cluster, a peer that takes content alone is one of those that hold it, unless others were wished for. */
async function allocationsOf ({ cluster, query, signal }: RestCall<AddQuery>, wished: PinOptions): Promise<readonly PeerId[]> {
  const { peers } = await cluster.allocate(wished, { signal })
  if (!query.local || peers.includes(cluster.self) || wished.userAllocations.length > 0) return peers
  return [cluster.self, ...peers.slice(0, -1)]
}

async function * bodies (parts: AsyncIterable<MultipartPart>): AsyncGenerator<AsyncIterable<Uint8Array>> {
  for await (const { body } of parts) yield body
}
