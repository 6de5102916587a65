/** What a file of recordings holds; its README is beside the recordings. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DaemonOptions } from '../kubo.ts'

export type HeaderPairs = readonly (readonly [string, string])[]

export type Part = { readonly headers: HeaderPairs, readonly body: BodySpec }
export type BodySpec =
  | string
  | { readonly base64: string }
  | { readonly fixture: string }
  | { readonly prng: string, readonly length: number }
  | { readonly repeat: string, readonly times: number }
  | { readonly cut: BodySpec, readonly keep: number }
  | { readonly concat: readonly BodySpec[] }
  | { readonly boundary: string, readonly multipart: readonly (Part | { readonly times: number, readonly part: Part })[] }

export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly headers: HeaderPairs
  readonly body?: BodySpec
  readonly version?: '1.0'
  readonly chunked?: boolean
  readonly gateAfter?: number
  readonly closeAfter?: number
  readonly endlessMs?: number
  readonly timeoutMs?: number
}

export type RecordedBody = string | { readonly any: true } | { readonly base64: string } | { readonly sha256: string, readonly length: number } | { readonly length: number }

export interface RecordedResponse {
  readonly status: number
  readonly reason: string
  readonly version?: string
  readonly informational?: readonly string[]
  readonly headers: HeaderPairs
  readonly body: RecordedBody
  readonly compare?: 'unordered-lines' | 'ignore-ticks'
  readonly trailers: HeaderPairs
  readonly volatile?: readonly string[]
  readonly beforeRest?: { readonly head: boolean, readonly complete?: boolean, readonly body: RecordedBody }
  readonly truncated?: boolean
  readonly endless?: boolean
  readonly noAnswer?: boolean
}

export interface RecordedCase {
  readonly seq: number
  readonly name: string
  readonly setup: { readonly after?: string }
  readonly request: RecordedRequest
  readonly response: RecordedResponse
}

export interface RecordedGroup {
  readonly group: string
  readonly about: string
  readonly daemon: DaemonOptions
  readonly cases: readonly RecordedCase[]
}

/** Where the recordings lie when they are at hand: beside the repository. */
export const recordingsFolder = join(import.meta.dirname, '../../../../shared/kubo-recordings')

/** All groups, or those named, by name; none when there are no recordings. */
export async function loadGroups (names: readonly string[] = [], folder = recordingsFolder): Promise<readonly RecordedGroup[]> {
  const files = (await readdir(folder).catch(() => [])).filter(file => file.endsWith('.json')).sort()
  const groups = await Promise.all(files.map(async file => JSON.parse(await readFile(join(folder, file), 'utf8')) as RecordedGroup))
  const unknown = names.filter(name => !groups.some(({ group }) => group === name))
  if (groups.length > 0 && unknown.length > 0) throw new Error(`no recordings of ${unknown.join(', ')}`)
  return groups
    .filter(({ group }) => names.length === 0 || names.includes(group))
    .map(group => ({ ...group, cases: [...group.cases].sort((a, b) => a.seq - b.seq) }))
}
