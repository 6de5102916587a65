/** From an admitted request to the command it names: path, options, arguments, time limit. */
import type { Clock } from '../../cluster/clock.ts'
import { parseGoDurationMs } from '../../cluster/api/kubo/go-values.ts'
import { multipartBoundary, readMultipart } from '../../cluster/api/kubo/multipart.ts'
import type { MultipartPart } from '../../cluster/api/kubo/multipart.ts'
import { KuboParseError, missingArgument, parseKuboRequest } from '../../cluster/api/kubo/request.ts'
import type { ParsedRequest } from '../../cluster/api/kubo/request.ts'
import { header } from '../http/request-head.ts'
import type { RequestBody } from '../http/request-body.ts'
import { createCidEncoder } from './cid-encoder.ts'
import type { Call, Command } from './command.ts'
import { emit, isEncoding } from './emit.ts'
import { notFound } from './gate.ts'
import type { Admitted } from './gate.ts'
import { DeadlineExceededError } from './kubo-error.ts'
import type { ConfiguredHeaders } from './origins.ts'
import { answerShort, answerText } from './text-answers.ts'

/** What Kubo's reader takes at a time, which decides how much of an upload has been read when the answer begins. */
const readBytesMax = 4096
/** Once an upload is this long, larger pieces are cheaper and nobody can tell. */
const smallUploadBytes = 64 * 1024
const argumentBytesMax = 16 * 1024 * 1024

export interface DispatchConfig { readonly httpHeaders: ConfiguredHeaders, readonly version: string }

/** @param absent paths that are no command and no argument of one */
export function createDispatch (commands: readonly Command[], absent: ReadonlySet<string>, { clock }: { clock: Clock }, { httpHeaders, version }: DispatchConfig): (admitted: Admitted) => Promise<void> {
  const byPath = new Map(commands.map(command => [command.path, command]))
  const groups = new Set([...byPath.keys()].flatMap(path => path.split('/').slice(0, -1).map((_, i, all) => all.slice(0, i + 1).join('/'))))
  const ownHeaders = [...Object.entries(httpHeaders).filter(([name]) => !name.startsWith('Access-Control-') || name === 'Access-Control-Allow-Headers'), ['Server', [`kubo/${version}`]] as const]

  return async admitted => {
    const { request, response, path, rawQuery, headers } = admitted
    const found = absent.has(path) ? undefined : findCommand(path, byPath, groups)
    if (found === undefined) return await answerText(request, response, 404, notFound, headers)
    if (found === 'group') return await emit(() => ({ kind: 'nothing' }), admitted, { encoding: 'json', ownHeaders })

    const contentType = header(request, 'content-type') ?? ''
    const boundary = multipartBoundary(contentType)
    if (boundary === undefined && /^multipart\/form-data\s*(?:;|$)/i.test(contentType)) return await answerText(request, response, 400, 'no multipart boundary param in Content-Type', headers)
    const parts = readMultipart(pieces(request.body), boundary ?? '')
    let parsed: ParsedRequest
    try {
      parsed = parseKuboRequest(found.command, { pathArgument: found.argument, rawQuery, body: boundary === undefined ? 'none' : 'multipart' })
      if (boundary !== undefined) parsed = await withBodyArguments(found.command, parsed, parts)
    } catch (err) {
      if (!(err instanceof KuboParseError)) return await emit(() => { throw err }, admitted, { encoding: 'json', ownHeaders })
      return await answerText(request, response, 400, err.message, headers)
    }
    await runParsed(found.command, parsed, parts, admitted, ownHeaders, clock)
  }
}

async function runParsed (command: Command, { options, args }: ParsedRequest, parts: AsyncIterable<MultipartPart>, admitted: Admitted, ownHeaders: readonly (readonly [string, readonly string[]])[], clock: Clock): Promise<void> {
  const { request, response, headers } = admitted
  if (!isEncoding(options.encoding)) return await answerText(request, response, 400, `invalid encoding: ${options.encoding}`, [...ownHeaders, ...headers])
  const timeoutMs = options.timeout === undefined ? undefined : parseGoDurationMs(options.timeout)
  if (options.timeout !== undefined && timeoutMs === undefined) return await answerShort(request, response, 200, new Map([...ownHeaders, ...headers]))

  const late = new AbortController()
  using _deadline = timeoutMs === undefined ? undefined : clock.after(Math.max(0, timeoutMs), () => { late.abort(new DeadlineExceededError()) })
  const signal = AbortSignal.any([request.signal, late.signal])
  const showCid: Call['showCid'] = cid => encodeCid(cid)
  let encodeCid: Call['showCid'] = cid => {
    encodeCid = createCidEncoder(options)
    return encodeCid(cid)
  }
  await emit(() => command.run({ options, args, parts, showCid, signal }), admitted, { encoding: options.encoding, ownHeaders })
}

/** The longest chain of names wins; one further segment is the first argument. */
function findCommand (path: string, byPath: ReadonlyMap<string, Command>, groups: ReadonlySet<string>): { command: Command, argument: string | undefined } | 'group' | undefined {
  const whole = byPath.get(path)
  if (whole !== undefined) return { command: whole, argument: undefined }
  if (groups.has(path)) return 'group'
  const cut = path.lastIndexOf('/')
  const command = cut < 0 ? undefined : byPath.get(path.slice(0, cut))
  return command === undefined ? undefined : { command, argument: path.slice(cut + 1) }
}

/** Commands that take their last argument from stdin read it from the first part of the body: a line each. */
async function withBodyArguments (command: Command, parsed: ParsedRequest, parts: AsyncIterable<MultipartPart>): Promise<ParsedRequest> {
  const last = command.args.at(-1)
  if (last === undefined || last.kind !== 'string' || !last.stdin) return parsed
  let lines: readonly string[] = []
  for await (const { body } of parts) {
    if (lines.length === 0) lines = await readLines(body)
    break
  }
  const args = [...parsed.args, ...lines]
  if (last.required && args.length < command.args.filter(({ required }) => required).length) throw missingArgument(last)
  return { ...parsed, args }
}

async function readLines (body: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
  const held: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body) {
    bytes += piece.length
    if (bytes > argumentBytesMax) throw new KuboParseError(`arguments in the body are over ${argumentBytesMax} bytes`)
    held.push(piece)
  }
  const lines = Buffer.concat(held).toString('utf8').split('\n').map(line => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  return lines
}

async function * pieces (body: RequestBody): AsyncGenerator<Uint8Array> {
  let total = 0
  while (true) {
    const piece = await body.read(total < smallUploadBytes ? readBytesMax : Infinity)
    if (piece === undefined) return
    total += piece.length
    yield piece
  }
}
