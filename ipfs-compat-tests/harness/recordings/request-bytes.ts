import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordingsFolder } from './recording.ts'
import type { BodySpec, Part, RecordedRequest } from './recording.ts'

export type Values = Readonly<Record<string, string>>

/** The head as it goes on the wire: written by hand, because no client library sends what some of these say. */
export function requestHead ({ method, path, headers, body, version, chunked }: RecordedRequest, bodyLength: number, values: Values): Buffer {
  const has = (name: string): boolean => headers.some(([key]) => key.toLowerCase() === name)
  const lines = headers.map(([key, value]) => `${key}: ${fillIn(value, values)}`)
  if (!has('host') && version !== '1.0') lines.unshift(`Host: 127.0.0.1:${values['API_PORT']}`)
  if (chunked === true) lines.push('Transfer-Encoding: chunked')
  else if (!has('content-length') && (body !== undefined || method === 'POST')) lines.push(`Content-Length: ${bodyLength}`)
  return Buffer.from([`${method} ${fillIn(path, values)} HTTP/${version ?? '1.1'}`, ...lines, '', ''].join('\r\n'))
}

export function requestBody (spec: BodySpec | undefined, values: Values): Buffer {
  if (spec === undefined) return Buffer.alloc(0)
  if (typeof spec === 'string') return Buffer.from(fillIn(spec, values))
  if ('base64' in spec) return Buffer.from(spec.base64, 'base64')
  if ('fixture' in spec) return fixture(spec.fixture)
  if ('prng' in spec) return pseudoRandom(spec.prng, spec.length)
  if ('repeat' in spec) return Buffer.from(spec.repeat.repeat(spec.times))
  if ('cut' in spec) return requestBody(spec.cut, values).subarray(0, spec.keep)
  if ('concat' in spec) return Buffer.concat(spec.concat.map(piece => requestBody(piece, values)))
  const parts = spec.multipart.flatMap(part => 'times' in part ? Array.from({ length: part.times }, (_, i) => numbered(part.part, i)) : [part])
  return Buffer.concat([
    ...parts.flatMap(part => [partHead(spec.boundary, part, values), requestBody(part.body, values), Buffer.from('\r\n')]),
    Buffer.from(`--${spec.boundary}--\r\n`)
  ])
}

/** `sha256("<seed>:0") ‖ sha256("<seed>:1") ‖ …`, cut to `length`. */
export function pseudoRandom (seed: string, length: number): Buffer {
  const key = `${seed}/${length}`
  const known = generated.get(key)
  if (known !== undefined) return known
  const pieces = Array.from({ length: Math.ceil(length / 32) }, (_, i) => hash('sha256', `${seed}:${i}`, 'buffer'))
  const bytes = Buffer.concat(pieces).subarray(0, length)
  generated.set(key, bytes)
  return bytes
}

const generated = new Map<string, Buffer>()

export function fillIn (text: string, values: Values): string {
  return text
    .replace(/\{\{REPEAT:(.):(\d+)\}\}/g, (_, letter: string, times: string) => letter.repeat(Number(times)))
    .replace(/\{\{([A-Z0-9_]+)\}\}/g, (placeholder, name: string) => values[name] ?? placeholder)
}

function numbered ({ headers, body }: Part, i: number): Part {
  return { headers: headers.map(([key, value]) => [key, value.replaceAll('{{I}}', String(i))] as const), body }
}

function partHead (boundary: string, { headers }: Part, values: Values): Buffer {
  return Buffer.from(`--${boundary}\r\n${headers.map(([key, value]) => `${key}: ${fillIn(value, values)}\r\n`).join('')}\r\n`)
}

const fixtures = new Map<string, Buffer>()
function fixture (name: string): Buffer {
  const bytes = fixtures.get(name) ?? readFileSync(join(recordingsFolder, 'fixtures', name))
  fixtures.set(name, bytes)
  return bytes
}
