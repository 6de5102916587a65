/** Recordings as they can be played: what they leave open is filled in, so that who plays them and who listens mean the same bytes. */
import { hash } from 'node:crypto'
import type { HeaderPairs, RecordedBody, RecordedCase, RecordedResponse } from './recording.ts'
import { requestBody } from './request-bytes.ts'
import type { Values } from './request-bytes.ts'

/** In place of what differs from one answer to the next. */
const samples: Values = { DATE: 'Sun, 22 Nov 2026 10:20:30 GMT', INT: '7', NUMBER: '7.5', STR: 'x', ANY: 'x', LINE: 'x' }
const fillerBytes = 1_000

export interface Playable {
  /** For `replayGroup`: exact in every byte but for the values of the server, such as `{{API_PORT}}` in headers. */
  readonly recorded: RecordedCase
  readonly body: Buffer
  /** What leaves before the upload is whole: the head, and so much of the body. */
  readonly early: { readonly body: Buffer, readonly isAll: boolean } | undefined
}

/**
 * @param values of the server that plays. A proxy rewrites headers, never bodies: so they are filled into bodies here, and stay
 * placeholders in headers
 */
export function playable (recorded: RecordedCase, values: Values): Playable {
  const { response } = recorded
  const { volatile: _anything, compare: _loosely, ...strict } = response
  const body = filled(response.body, response, values)
  const early = response.beforeRest === undefined ? undefined : filled(response.beforeRest.body, response, values)
  const headers = sampled(response.headers)
  const trailers = sampled(response.trailers)
  return {
    recorded: {
      ...recorded,
      response: { ...strict, headers, trailers, body: body.said, ...early === undefined ? {} : { beforeRest: { ...response.beforeRest!, body: early.said } } }
    },
    body: body.bytes,
    early: response.beforeRest?.head === true ? { body: early!.bytes, isAll: response.beforeRest.complete === true } : undefined
  }
}

interface Filled { readonly bytes: Buffer, readonly said: RecordedBody }

function filled (body: RecordedBody, { status, headers }: RecordedResponse, values: Values): Filled {
  if (status === 0) return { bytes: Buffer.alloc(0), said: '' }
  if (typeof body === 'string') {
    const bytes = requestBody(body, { ...samples, ...values })
    return { bytes, said: bytes.toString() }
  }
  const bytes = 'base64' in body ? requestBody(body, values) : filler('length' in body ? body.length : lengthIn(headers))
  return { bytes, said: { sha256: hash('sha256', bytes), length: bytes.length } }
}

function lengthIn (headers: HeaderPairs): number {
  return Number(headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? fillerBytes)
}

function filler (length: number): Buffer {
  return requestBody({ prng: 'filler', length }, {})
}

function sampled (pairs: HeaderPairs): HeaderPairs {
  return pairs.map(([name, value]) => [name, value.replace(/\{\{([A-Z0-9_]+)\}\}/g, (placeholder, kind: string) => samples[kind] ?? placeholder)] as const)
}
