import { randomUUID } from 'node:crypto'
import { encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { varint } from 'multiformats'
import type { Dispatcher } from 'undici'
import type { KuboCaller } from './kubo.ts'

const tellEvery = 100

interface FoundPin { readonly Cid: string, readonly Type: string, readonly Name?: string }

/**
 * Copies every pin of one daemon, with its content and its name, to another. What the other has already is pinned again, which
 * changes nothing, so this can be begun anew after a failure.
 *
 * @returns how many pins there are
 */
export async function bringOver (source: KuboCaller, target: KuboCaller, signal: AbortSignal, tell: (count: number) => void): Promise<number> {
  let count = 0
  for (const pin of await pinsOf(source, signal)) {
    signal.throwIfAborted()
    if (pin.Type === 'recursive') await copyDag(source, target, pin.Cid, signal)
    else await copyBlock(source, target, pin.Cid, signal)
    await ended(await target.post('pin/add', [['arg', pin.Cid], ['recursive', String(pin.Type === 'recursive')], ...pin.Name ? [['name', pin.Name] as const] : []], undefined, signal))
    if (++count % tellEvery === 0) tell(count)
  }
  return count
}

async function pinsOf (source: KuboCaller, signal: AbortSignal): Promise<readonly FoundPin[]> {
  const pins: FoundPin[] = []
  for (const type of ['recursive', 'direct']) {
    const text = await ended(await source.post('pin/ls', [['type', type], ['names', 'true'], ['stream', 'true']], undefined, signal))
    pins.push(...text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as FoundPin))
  }
  return pins
}

/** The import pins the root: no garbage collection of the target takes a block before that. */
async function copyDag (source: KuboCaller, target: KuboCaller, cid: string, signal: AbortSignal): Promise<void> {
  const exported = await source.post('dag/export', [['arg', cid], ['progress', 'false']], undefined, signal)
  if (exported.statusCode !== 200) await ended(exported)
  const answer = await ended(await target.post('dag/import', [['pin-roots', 'true'], ['allow-big-block', 'true']], multipart(exported.body), signal))
  const failure = answer.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as { Root?: { PinErrorMsg?: string } }).find(({ Root }) => Root?.PinErrorMsg)
  if (failure !== undefined) throw new Error(`${cid}: ${failure.Root!.PinErrorMsg}`)
}

/** A CAR of one block: `block/put` does not take every hash. */
async function copyBlock (source: KuboCaller, target: KuboCaller, cid: string, signal: AbortSignal): Promise<void> {
  const block = await source.post('block/get', [['arg', cid]], undefined, signal)
  if (block.statusCode !== 200) await ended(block)
  const bytes = Buffer.from(await block.body.arrayBuffer())
  const section = [CID.parse(cid).bytes, bytes]
  const car = Buffer.concat([...prefixed([encode({ roots: [CID.parse(cid)], version: 1 })]), ...prefixed(section)])
  async function * once (): AsyncGenerator<Uint8Array> { yield car }
  await ended(await target.post('dag/import', [['pin-roots', 'false'], ['allow-big-block', 'true']], multipart(once()), signal))
}

/** A CAR's sections stand behind their lengths. */
function prefixed (parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
  return [varint.encodeTo(length, new Uint8Array(varint.encodingLength(length))), ...parts]
}

function multipart (bytes: AsyncIterable<Uint8Array>): { contentType: string, bytes: AsyncIterable<Uint8Array> } {
  const boundary = randomUUID()
  async function * body (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\nContent-Type: application/octet-stream\r\n\r\n`)
    yield * bytes
    yield Buffer.from(`\r\n--${boundary}--\r\n`)
  }
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes: body() }
}

/** The whole answer. @throws Error with the daemon's own words, whether it says them at once or in the trailer */
async function ended ({ statusCode, body, trailers }: Dispatcher.ResponseData): Promise<string> {
  const text = await body.text()
  const late = trailers['x-stream-error']
  if (statusCode === 200 && !late) return text
  if (late) throw new Error(String(late))
  throw new Error(messageIn(text) ?? `status ${statusCode}`)
}

function messageIn (text: string): string | undefined {
  try {
    return (JSON.parse(text) as { Message?: string }).Message
  } catch {
    return text.trim() || undefined
  }
}
