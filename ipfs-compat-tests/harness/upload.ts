/** Uploads as clients send them, for tests that add and import. */
import { request } from 'node:http'

export interface UploadPart {
  /** Escaped as it is to be sent. */
  readonly filename?: string
  /** `file`, or `file?mode=0644&mtime=…`. */
  readonly field?: string
  readonly type?: string
  readonly body: string | Uint8Array
}

export interface Answer {
  readonly status: number
  readonly text: string
  /** Of the trailer, undefined when there is none. */
  readonly streamError: string | undefined
  readonly lines: readonly Readonly<Record<string, unknown>>[]
}

export const uploadBoundary = 'upload-boundary'

export function multipartOf (parts: readonly UploadPart[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(({ filename = 'f', field = 'file', type = 'application/octet-stream', body }) => [
      Buffer.from(`--${uploadBoundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`),
      Buffer.from(body as Uint8Array), Buffer.from('\r\n')
    ]),
    Buffer.from(`--${uploadBoundary}--\r\n`)
  ])
}

/** Sends a multipart body, or none when it has no bytes, and reads the whole answer. `signal` ends the connection. */
export async function upload (port: number, path: string, body: Uint8Array | AsyncIterable<Uint8Array>, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Answer> {
  const answered = Promise.withResolvers<Answer>()
  const headers = body instanceof Uint8Array && body.byteLength === 0 ? {} : { 'content-type': `multipart/form-data; boundary=${uploadBoundary}` }
  const sending = request({ host: '127.0.0.1', port, path: `/api/v0/${path}`, method: 'POST', headers, ...signal && { signal } }, response => {
    Array.fromAsync(response as AsyncIterable<Buffer>).then(chunks => {
      const text = Buffer.concat(chunks).toString()
      const trailer = response.trailers['x-stream-error'] as string | undefined
      const lines = response.headers['content-type'] === 'application/json' ? text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Record<string, unknown>) : []
      answered.resolve({ status: response.statusCode!, text, streamError: trailer === undefined ? undefined : Buffer.from(trailer, 'latin1').toString(), lines })
    }, answered.reject)
  })
  sending.on('error', answered.reject)
  const send = async (): Promise<void> => {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      if (!sending.write(chunk)) await new Promise(resolve => sending.once('drain', resolve))
    }
    sending.end()
  }
  send().catch((err: unknown) => {
    sending.destroy()
    answered.reject(err)
  })
  return await answered.promise
}
