import { Client } from 'undici'
import type { Dispatcher } from 'undici'
import { urlOf } from '../../cluster/config/endpoint.ts'
import type { Endpoint } from '../../cluster/config/endpoint.ts'

const answerTimeoutMs = 3_000

/** The daemon's API as far as it is needed before there is a connector. */
export interface KuboCaller extends AsyncDisposable {
  post (command: string, query: readonly (readonly [string, string])[], body?: { readonly contentType: string, readonly bytes: AsyncIterable<Uint8Array> }, signal?: AbortSignal): Promise<Dispatcher.ResponseData>
}

export function kuboCaller (endpoint: Endpoint, apiAuth?: string): KuboCaller {
  const isUnix = endpoint.kind === 'unix'
  const client = new Client(isUnix ? 'http://localhost' : urlOf(endpoint), {
    headersTimeout: 0,
    bodyTimeout: 0,
    ...isUnix && { connect: { socketPath: endpoint.path } }
  })
  const authorization = authorizationOf(apiAuth)
  return {
    post: async (command, query, body, signal) => await client.request({
      method: 'POST',
      path: `/api/v0/${command}?${new URLSearchParams(query.map(([key, value]): [string, string] => [key, value]))}`,
      headers: { ...authorization !== undefined && { authorization }, ...body && { 'content-type': body.contentType } },
      body: body === undefined ? null : body.bytes as never,
      ...signal !== undefined && { signal }
    }),
    [Symbol.asyncDispose]: async () => await client.destroy()
  }
}

/**
 * Who answers there: the daemon's version, `unnamed` for one that answers but does not tell (it may want credentials), or nothing.
 */
export async function versionAt (endpoint: Endpoint, apiAuth: string | undefined, signal: AbortSignal): Promise<string | undefined> {
  await using daemon = kuboCaller(endpoint, apiAuth)
  try {
    const { statusCode, body } = await daemon.post('version', [], undefined, AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]))
    const text = await body.text()
    return statusCode === 200 ? versionIn(text) : 'unnamed'
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

function versionIn (text: string): string {
  try {
    const { Version } = JSON.parse(text) as { Version?: unknown }
    return typeof Version === 'string' ? Version : 'unnamed'
  } catch {
    return 'unnamed'
  }
}

/** Spelt as the `ipfs` CLI's `--api-auth`. */
function authorizationOf (apiAuth: string | undefined): string | undefined {
  if (apiAuth === undefined) return undefined
  const [kind, value] = [apiAuth.slice(0, apiAuth.indexOf(':')), apiAuth.slice(apiAuth.indexOf(':') + 1)]
  return kind === 'bearer' ? `Bearer ${value}` : `Basic ${value.includes(':') ? Buffer.from(value).toString('base64') : value}`
}
