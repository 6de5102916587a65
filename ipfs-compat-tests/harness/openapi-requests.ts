/** Requests made up from an OpenAPI document: what it allows, and what it does not. */
import type { Random } from '../../cluster/consensus/raft/simulator/random.ts'

export interface Operation { readonly method: string, readonly path: string, readonly spec: any }

/** What stands for values that a schema cannot know: content and peers that are there. */
export interface Pool { readonly cids: readonly string[], readonly peers: readonly string[] }

export interface MadeRequest { readonly method: string, readonly target: string, readonly headers: Record<string, string>, readonly body: string | undefined }

export function operationsOf (document: any): readonly Operation[] {
  return Object.entries<any>(document.paths).flatMap(([path, methods]) => Object.entries<any>(methods).map(([method, spec]) => ({ method: method.toUpperCase(), path, spec })))
}

/** Values that are no value of the parameter. */
export function wrongValues ({ name, schema }: any): readonly string[] {
  if (schema.maxLength !== undefined) return ['x'.repeat(schema.maxLength + 1)]
  if (schema.type === 'integer') return ['x', '1.5', String(schema.minimum - 1), '9'.repeat(17)]
  return name.startsWith('expire') ? ['nonsense', '10ms', '2001-01-01T00:00:00Z'] : ['nonsense', 'x,y', '\u0000']
}

export function randomRequest ({ method, path, spec }: Operation, pool: Pool, random: Random): MadeRequest {
  const steps = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(random.chance(0.1) ? junk(random) : pathValue(name, pool, random)))
  const search = new URLSearchParams()
  for (const parameter of spec.parameters.filter((one: any) => one.in === 'query')) {
    if (random.chance(0.75)) continue
    if (parameter.name === 'meta') search.set(`meta-${random.pick(['', 'a', '__proto__', 'é'])}`, junk(random))
    else search.append(parameter.name, random.chance(0.2) ? random.pick([...wrongValues(parameter), junk(random), '']) : goodValue(parameter, pool, random))
  }
  if (random.chance(0.03)) search.set(junk(random), 'x')
  const headers: Record<string, string> = random.chance(0.05) ? { origin: 'https://elsewhere.example' } : {}
  return { method, target: `${steps}?${search}`, headers: { ...headers, ...bodyHeaders(spec) }, body: spec.requestBody === undefined ? undefined : bodyOf(spec, pool, random) }
}

const boundary = 'b'
const bodyHeaders = ({ requestBody }: any): Record<string, string> => {
  if (requestBody === undefined) return {}
  const [type] = Object.keys(requestBody.content)
  return { 'content-type': type === 'multipart/form-data' ? `${type}; boundary=${boundary}` : type! }
}

function bodyOf ({ requestBody }: any, pool: Pool, random: Random): string {
  if (!('multipart/form-data' in requestBody.content)) return random.pick(['', '{', '[]', 'null', '{"peer_id":7}', `{"peer_id":"${random.pick(pool.peers)}"}`])
  const parts = Array.from({ length: random.below(3) }, (_, i) => `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${random.pick(['a', 'd/a', '..', 'a%2Fb', ''])}${i}"\r\n${random.pick(['', 'Content-Type: application/x-directory\r\n', 'Content-Type: ;\r\n'])}\r\n${junk(random)}\r\n`)
  const whole = `${parts.join('')}--${boundary}--\r\n`
  return random.chance(0.3) ? whole.slice(0, random.below(whole.length)) : whole
}

function pathValue (name: string, pool: Pool, random: Random): string {
  const values: Record<string, () => string> = {
    cid: () => random.pick(pool.cids), path: () => random.pick(pool.cids), peer: () => random.pick(pool.peers), name: () => 'ping', namespace: () => random.pick(['ipfs', 'ipfs', 'ipld', 'nope'])
  }
  return values[name]!()
}

function goodValue ({ name, schema }: any, pool: Pool, random: Random): string {
  if (schema.enum !== undefined) return random.pick(schema.enum as string[])
  if (schema.type === 'boolean') return random.pick(['true', 'false', '1', 'F'])
  if (schema.type === 'integer') return String(random.pick([schema.minimum, 0, 1, 2, schema.maximum].filter(n => n >= schema.minimum)))
  if (schema.pattern !== undefined) return random.pick(/\(([^)]*)\)/.exec(schema.pattern as string)![1]!.split('|'))
  const named: Record<string, () => string> = {
    'user-allocations': () => random.pick(pool.peers), 'expire-at': () => '2100-01-01T00:00:00Z', 'expire-in': () => '1h', origins: () => schema.examples[0], chunker: () => 'size-1024', hash: () => 'sha2-256'
  }
  return named[name]?.() ?? (schema.maxLength !== undefined ? junk(random) : random.pick(pool.cids))
}

const junk = (random: Random): string => random.pick(['', 'x', '%', '../..', 'a b', 'é\u0000', '🙂', '-1', 'null', '[]', 'Qm', "' OR 1=1", '\r\nx: y', 'y'.repeat(100)])
