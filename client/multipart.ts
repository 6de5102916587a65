/** What a file is made of. Streams are read as they are sent; the others may be sent again. */
export type FileContent = string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** A file to add, or without content an empty folder. */
export interface FileToAdd {
  /** Where it lies, steps with slashes between: each first step is a root. */
  readonly path: string
  readonly content?: FileContent
}

export interface Upload {
  readonly type: string
  readonly body: Blob | ReadableStream<Uint8Array>
}

/**
 * Files as multipart/form-data. What is known whole becomes one Blob, with a length, which every browser can send; anything else is a
 * stream, which Node can send, and browsers over HTTP/2 as far as they can at all.
 *
 * @param signal of the whole call: `fetch` alone does not always leave what it was sending
 */
export function uploadOf (files: Iterable<FileToAdd> | AsyncIterable<FileToAdd>, signal: AbortSignal): Upload {
  const boundary = `quorum-${crypto.randomUUID()}`
  const type = `multipart/form-data; boundary=${boundary}`
  if (Array.isArray(files) && (files as readonly FileToAdd[]).every(isWhole)) {
    const parts = (files as readonly FileToAdd[]).flatMap(file => [headOf(file, boundary), (file.content ?? '') as WholeContent, '\r\n'])
    return { type, body: new Blob([...parts, `--${boundary}--\r\n`]) }
  }
  return { type, body: streamOf(pieces(files, boundary), signal) }
}

type WholeContent = string | Uint8Array<ArrayBuffer> | Blob

const isWhole = ({ content = '' }: FileToAdd): boolean => typeof content === 'string' || content instanceof Uint8Array || content instanceof Blob

function headOf ({ path, content }: FileToAdd, boundary: string): string {
  const type = content === undefined ? 'application/x-directory' : 'application/octet-stream'
  return `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${encodeURIComponent(path)}"\r\nContent-Type: ${type}\r\n\r\n`
}

async function * pieces (files: Iterable<FileToAdd> | AsyncIterable<FileToAdd>, boundary: string): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const file of files) {
    yield encoded(headOf(file, boundary))
    yield * bytesOf(file.content ?? '')
    yield encoded('\r\n')
  }
  yield encoded(`--${boundary}--\r\n`)
}

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text)

async function * bytesOf (content: FileContent): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof content === 'string') yield encoded(content)
  else if (content instanceof Uint8Array) yield content
  else if (content instanceof Blob) yield * readerOf(content.stream())
  else if (content instanceof ReadableStream) yield * readerOf(content)
  else yield * content
}

/** Not every browser can iterate over a stream. */
async function * readerOf (stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function streamOf (source: AsyncGenerator<Uint8Array, void, undefined>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const ended = new AbortController()
  const leave = async (): Promise<void> => {
    ended.abort()
    await source.return()
  }
  return new ReadableStream<Uint8Array>({
    start (controller) {
      signal.addEventListener('abort', () => {
        controller.error(signal.reason)
        leave().catch(() => {}) // the call has its reason to fail already
      }, { signal: ended.signal })
    },
    async pull (controller) {
      const { done, value } = await source.next()
      if (signal.aborted) return
      if (done !== true) return controller.enqueue(value)
      ended.abort()
      controller.close()
    },
    cancel: leave
  })
}
