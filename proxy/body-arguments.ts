import { addEntries } from '../adder/entries.ts'
import { fromGoBytes } from '../cluster/api/kubo/go-text.ts'
import { readMultipart } from '../cluster/api/kubo/multipart.ts'
import { KuboCommandError } from './kubo-error.ts'

/** So many bytes of arguments are held; 64 MiB are a million CIDs. */
const argumentBytesMax = 64 << 20

/** The lines of the body's first file, LF or CRLF: arguments that the CLI was given on its standard input. Other parts are not looked at. */
export async function readBodyArguments (body: AsyncIterable<Uint8Array>, boundary: string): Promise<readonly string[]> {
  for await (const { kind, content } of addEntries(readMultipart(body, boundary))) {
    if (kind === 'directory') return []
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of content) {
      length += chunk.length
      if (length > argumentBytesMax) throw new KuboCommandError(`the arguments in the body are more than ${argumentBytesMax} bytes`, { code: 1 })
      chunks.push(chunk)
    }
    return linesOf(Buffer.concat(chunks))
  }
  return []
}

function linesOf (bytes: Buffer): readonly string[] {
  const lines: string[] = []
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(10, at)
    if (end < 0) return [...lines, fromGoBytes(bytes.subarray(at))]
    const hasCr = end > at && bytes[end - 1] === 13
    lines.push(fromGoBytes(bytes.subarray(at, hasCr ? end - 1 : end)))
    at = end + 1
  }
  return lines
}
