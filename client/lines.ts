import { ClusterClientError } from './errors.ts'

/**
 * The JSON values of a stream that has one on each line, as they come. Whoever stops reading ends the stream.
 *
 * @throws ClusterClientError when the peer says in a last line that it failed, or the stream ends in the middle of one
 */
export async function * jsonLines (body: ReadableStream<Uint8Array>): AsyncGenerator<unknown, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let begun = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const [first = '', ...others] = decoder.decode(value, { stream: true }).split('\n')
      begun += first
      for (const next of others) {
        if (begun !== '') yield parsed(begun)
        begun = next
      }
    }
    if (begun !== '') throw new ClusterClientError(0, 'the answer ended in the middle of a line')
  } finally {
    await reader.cancel().catch(() => {}) // one that has failed has failed already
  }
}

function parsed (line: string): unknown {
  const value = JSON.parse(line) as unknown
  const { code, message, ...others } = Object(value) as { code?: unknown, message?: unknown }
  if (typeof code === 'number' && typeof message === 'string' && Object.keys(others).length === 0) throw new ClusterClientError(code, message)
  return value
}
