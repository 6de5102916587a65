import type { Random } from '../../cluster/consensus/raft/simulator/random.ts'
import type { HeaderPairs, RecordedRequest } from '../harness/recordings/recording.ts'
import { boundary, randomBody } from './bodies.ts'
import { endpoints } from './endpoints.ts'
import type { Endpoint } from './endpoints.ts'
import { randomCaller } from './guarded.ts'
import { filePaths, globalChoices, headerSets, reachable, soon, unreachable, unreadable } from './values.ts'
import type { Choice } from './values.ts'

const argsMax = 4

export interface ScriptOptions {
  readonly only?: (path: string) => boolean
  /** The requests are for daemons with users: each has a caller. */
  readonly isGuarded?: boolean
}

/** One to three requests, the later ones after what the earlier ones did. All chance is `random`'s. */
export function randomScript (random: Random, { only = () => true, isGuarded = false }: ScriptOptions = {}): readonly RecordedRequest[] {
  const chosen = endpoints.filter(({ path }) => only(path)).flatMap(endpoint => Array.from({ length: endpoint.weight }, () => endpoint))
  const picked = Array.from({ length: random.pick([1, 1, 1, 1, 2, 3]) }, () => random.pick(chosen))
  // Nothing follows an add, because Kubo leaves nodes behind that it made on the way.
  const end = picked.findIndex(({ path }) => path === 'add')
  return (end < 0 ? picked : picked.slice(0, end + 1)).map(endpoint => isGuarded ? called(randomRequest(endpoint, random), random) : randomRequest(endpoint, random))
}

/** Who asks comes in the place of what a request says of that itself. */
function called (request: RecordedRequest, random: Random): RecordedRequest {
  const { method, headers } = randomCaller(random)
  const others = request.headers.filter(([name]) => !/^(authorization|origin|referer|user-agent|access-control-.*)$/i.test(name))
  return { ...request, method: method === 'POST' ? request.method : method, headers: [...others, ...headers] }
}

export function randomRequest (endpoint: Endpoint, random: Random): RecordedRequest {
  const args = randomArgs(endpoint, random)
  const places = place(args, endpoint, random)
  const pairs = [...places.inQuery.map(arg => `arg=${arg}`), ...randomOptions(endpoint, args, random)]
  const method = random.chance(0.02) ? random.pick(['GET', 'HEAD', 'PUT', 'OPTIONS', 'DELETE', 'PATCH']) : 'POST'
  const hasBody = method === 'POST' && (places.inBody.length > 0 || (endpoint.body !== undefined && endpoint.body !== 'lines' && !random.chance(0.03)) || random.chance(0.02))
  const body = hasBody ? { body: randomBody(endpoint.body ?? 'lines', places.inBody.map(decodeLine), random) } : {}
  const headers: HeaderPairs = [...hasBody ? [['Content-Type', `multipart/form-data; boundary=${boundary}`] as const] : [], ...random.chance(0.12) ? random.pick(headerSets) : []]
  return {
    method,
    path: `${random.chance(0.01) ? random.pick(roots) : '/api/v0/'}${randomPath(endpoint.path, random)}${places.inPath === undefined ? '' : `/${places.inPath}`}${pairs.length === 0 ? '' : `?${random.shuffle(pairs).join('&')}`}`,
    headers,
    ...body,
    ...random.chance(0.02) ? { version: '1.0' } : hasBody && random.chance(0.2) ? { chunked: true } : {},
    ...hasBody && random.chance(0.02) ? { gateAfter: random.below(300) } : {}
  }
}

/** Other ways to write where all calls lie, and some that lead elsewhere. */
const roots = ['http://127.0.0.1:{{API_PORT}}/api/v0/', 'http://example.com/api/v0/', '//api/v0/', '/api//v0/', '/api/v0/./', '/api/v0/x/../', '/%61pi/v0/', '/api/v0%2F', '/API/v0/', '/api/v1/']

function randomArgs ({ args, isVariadic = false }: Endpoint, random: Random): readonly string[] {
  const fit = isVariadic ? random.pick([1, 1, 1, 2, argsMax]) : args.length
  const count = random.chance(0.04) ? random.below(3) : fit === 1 && isVariadic && random.chance(0.15) ? 0 : fit
  return Array.from({ length: count }, (_, i) => {
    const kind = args[Math.min(i, args.length - 1)] ?? 'word'
    if (kind === 'file') return random.pick(filePaths)
    const from = random.chance(0.8) ? reachable : random.chance(0.75) ? unreadable : unreachable
    return kind === 'word' ? random.pick(['x', '']) : random.pick(from)
  })
}

interface Places { readonly inPath: string | undefined, readonly inQuery: readonly string[], readonly inBody: readonly string[] }

/** Arguments stand in the path, the query or the body. */
function place (args: readonly string[], { body }: Endpoint, random: Random): Places {
  const inPath = args.length > 0 && /^\{\{\w+\}\}$/.test(args[0]!) && random.chance(0.06) ? args[0] : undefined
  const rest = inPath === undefined ? args : args.slice(1)
  if (body !== 'lines' || !random.chance(0.12)) return { inPath, inQuery: rest, inBody: [] }
  const split = random.below(rest.length + 1)
  return { inPath, inQuery: rest.slice(0, split), inBody: rest.slice(split) }
}

function randomPath (path: string, random: Random): string {
  if (!random.chance(0.015)) return path
  return random.pick([`${path}/`, path.replace('/', '%2F'), path.replace('/', '//'), path.toUpperCase(), `${path}/x/y`, `x/../${path}`, path.replace(/^./, letter => `%${letter.charCodeAt(0).toString(16)}`)])
}

/** At most one value that is refused, because Kubo names any of several; what waits for the network gets a `timeout`. */
function randomOptions ({ choices }: Endpoint, args: readonly string[], random: Random): readonly string[] {
  const own = random.shuffle([...choices]).slice(0, random.pick([0, 1, 1, 2, 2, 3, 4]))
  const common = random.shuffle([...globalChoices]).slice(0, random.pick([0, 0, 1, 1, 2]))
  const badAt = random.chance(0.1) ? random.below(own.length + common.length) : -1
  const waits = args.some(arg => unreachable.includes(arg))
  const pairs = [...own, ...common].filter(({ names }) => !waits || names[0] !== 'timeout').map((choice, i) => optionPair(choice, i === badAt, random))
  if (waits) pairs.push(`timeout=${random.pick(soon)}`)
  if (random.chance(0.02)) pairs.push(random.pick(['a;b=1', '%zz=1', '', '=', 'x', '&', pairs[0] ?? '']))
  return pairs
}

function optionPair ({ names, good, bad }: Choice, isBad: boolean, random: Random): string {
  const value = random.pick(isBad && bad.length > 0 ? bad : good)
  return value === '' && random.chance(0.5) ? random.pick(names) : `${random.pick(names)}=${value}`
}

/** A line of a body is not escaped. */
function decodeLine (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
