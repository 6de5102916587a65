import type { ServerResponse } from 'node:http'
import { encodeGoJson } from '../cluster/api/kubo/go-json.ts'

/** 502, in the form of a Kubo error: the `ipfs` CLI and the client libraries show its message. */
export function answerUnreachable (response: ServerResponse, address: string, error: Error): void {
  const body = `${encodeGoJson({ Message: unreachableText(address, error), Code: 0, Type: 'error' })}\n`
  response.writeHead(502, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}

export const unreachableText = (address: string, error: Error): string => `the IPFS daemon at ${address} cannot be reached: ${reasonOf(error)}`

/** A connection tried on several addresses fails with one error that holds the others and says nothing itself. */
function reasonOf (error: Error): string {
  const code = (error as NodeJS.ErrnoException).code
  return error.message !== '' ? error.message : code ?? error.name
}
