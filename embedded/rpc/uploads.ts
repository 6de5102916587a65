import type { MultipartPart } from '../../cluster/api/kubo/multipart.ts'
import { KuboError } from './kubo-error.ts'

/** Of something that has to be held whole: a block, a node, arguments. */
const wholeBytesMax = 64 * 1024 * 1024

/** The parts of an upload whose command takes files only; a symbolic link is one, of its target. @throws KuboError `refusal`, what the command says to a directory */
export async function * filesOf (parts: AsyncIterable<MultipartPart>, refusal: string): AsyncGenerator<MultipartPart, void, undefined> {
  for await (const part of parts) {
    const type = part.headers.get('content-type') ?? ''
    if (/^(?:application\/x-directory|multipart\/form-data)\b/.test(type)) throw new KuboError(refusal)
    yield part
  }
}

export async function readAll (body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const held: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body) {
    bytes += piece.length
    if (bytes > wholeBytesMax) throw new KuboError(`a block of more than ${wholeBytesMax} bytes is not taken`)
    held.push(piece)
  }
  return Buffer.concat(held)
}
