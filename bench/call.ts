import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Side } from './harness.ts'

export interface Body { readonly contentType: string, readonly bytes: AsyncIterable<Uint8Array> }

/** One call of the daemon's API; `onData` sees the answer as it comes. @throws Error for an answer that is not 200, or whose trailer says it failed */
export async function call (side: Side, path: string, body?: Body, onData: (chunk: Buffer) => void = () => {}): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const sending = request({ host: side.host, port: side.port, path: `/api/v0/${path}`, method: 'POST', agent: false, headers: body === undefined ? {} : { 'content-type': body.contentType } })
  sending.once('response', resolve).once('error', reject)
  if (body === undefined) sending.end()
  else pipeline(Readable.from(body.bytes, { objectMode: false, highWaterMark: 1 << 20 }), sending).catch(reject)

  const response = await promise
  const failed: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (response.statusCode === 200) onData(chunk)
    else failed.push(chunk)
  }
  const late = response.trailers['x-stream-error']
  if (response.statusCode !== 200 || late) throw new Error(`${side.name} ${path}: ${response.statusCode} ${late ?? Buffer.concat(failed).toString()}`)
}

/** The answer's lines as JSON. */
export async function callJson (side: Side, path: string, body?: Body): Promise<any[]> {
  const chunks: Buffer[] = []
  await call(side, path, body, chunk => chunks.push(chunk))
  return Buffer.concat(chunks).toString().split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}
