import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { RpcTarget } from '../ipfs-compat-tests/harness/rpc.ts'

export interface Body { readonly contentType: string, readonly bytes: AsyncIterable<Uint8Array> }

/** One call of the daemon's API; `onData` sees the answer as it comes. @throws as `exchange` */
export async function call (side: RpcTarget, command: string, body?: Body, onData?: (chunk: Buffer) => void): Promise<void> {
  await exchange(side, { path: `/api/v0/${command}`, ...body !== undefined && { body }, ...onData !== undefined && { onData } })
}

export interface Exchange {
  /** POST unless it says otherwise. */
  readonly method?: 'GET'
  readonly path: string
  readonly body?: Body
  /** Sees the answer as it comes. */
  readonly onData?: (chunk: Buffer) => void
}

/** One request on a connection of its own. @throws Error for an answer that tells no success, or whose trailer says it failed */
export async function exchange ({ host, port }: RpcTarget, { method, path, body, onData }: Exchange): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const sending = request({ host, port, path, method: method ?? 'POST', agent: false, headers: body === undefined ? {} : { 'content-type': body.contentType } })
  sending.once('response', resolve).once('error', reject)
  if (body === undefined) sending.end()
  else pipeline(Readable.from(body.bytes, { objectMode: false, highWaterMark: 1 << 20 }), sending).catch(reject)

  const response = await promise
  const failed: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (isSuccess(response)) onData?.(chunk)
    else failed.push(chunk)
  }
  const late = response.trailers['x-stream-error']
  if (!isSuccess(response) || late) throw new Error(`${host}:${port}${path}: ${response.statusCode} ${late ?? Buffer.concat(failed).toString()}`)
}

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300

/** The answer's lines as JSON. */
export async function callJson (side: RpcTarget, command: string, body?: Body): Promise<any[]> {
  const chunks: Buffer[] = []
  await call(side, command, body, chunk => chunks.push(chunk))
  return Buffer.concat(chunks).toString().split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}
