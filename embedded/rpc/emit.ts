/** A command's answer on the wire, as go-ipfs-cmds writes it: encodings, headers, errors before the first byte and after it. */
import { encodeGoJson } from '../../cluster/api/kubo/go-json.ts'
import { toGoBytes } from '../../cluster/api/kubo/go-text.ts'
import type { Answer, Emitted, XmlFields } from './command.ts'
import type { Admitted } from './gate.ts'
import { KuboError, messageOf } from './kubo-error.ts'

const streamNames = 'X-Stream-Output, X-Chunked-Output, X-Content-Length'
const contentTypes = { json: 'application/json', xml: 'application/xml', text: 'text/plain', textnl: 'text/plain', 'octet-stream': 'application/octet-stream' } as const
export type Encoding = keyof typeof contentTypes

export interface EmitSettings {
  readonly encoding: Encoding
  /** `API.HTTPHeaders` and `Server`. */
  readonly ownHeaders: readonly (readonly [string, readonly string[]])[]
}

export function isEncoding (text: string): text is Encoding {
  return Object.hasOwn(contentTypes, text)
}

/** Writes `answer`, or what it fails with. Resolves when the client has it all, or has gone. */
export async function emit (answering: () => Promise<Answer> | Answer, admitted: Admitted, settings: EmitSettings): Promise<void> {
  const { response } = admitted
  try {
    const answer = await answering()
    if (answer.kind === 'bytes') await emitBytes(answer, admitted, settings)
    else if (answer.kind === 'one') await emitOne(answer.value, admitted, settings)
    else await emitMany(answer.kind === 'many' ? answer.values : none(), admitted, settings)
    await response.end()
    if (answer.kind === 'nothing') answer.afterwards?.()
  } catch (err) {
    if (response.isStarted) await response.end([['X-Stream-Error', messageOf(err)]])
    else await emitError(err, admitted, settings)
  }
}

async function emitOne (value: Emitted, admitted: Admitted, settings: EmitSettings): Promise<void> {
  const head = (): void => { startHead(admitted, settings, [['Content-Type', [contentTypes[settings.encoding]]]]) }
  if (settings.encoding === 'xml') head() // Go finds out while it writes
  const bytes = encode(value, settings.encoding)
  if (settings.encoding !== 'xml') head()
  await admitted.response.write(bytes)
}

async function emitMany (values: AsyncIterable<Emitted>, admitted: Admitted, settings: EmitSettings): Promise<void> {
  const { response } = admitted
  const start = (): void => {
    if (!response.isStarted) startHead(admitted, settings, [['Content-Type', [contentTypes[settings.encoding]]], ['X-Chunked-Output', ['1']]])
  }
  for await (const value of values) {
    start()
    await response.write(encode(value, settings.encoding))
  }
  start()
}

async function emitBytes ({ contentType, length, bytes }: Answer & { kind: 'bytes' }, admitted: Admitted, settings: EmitSettings): Promise<void> {
  const { response } = admitted
  const start = (): void => {
    if (response.isStarted) return
    const type = contentType === 'text/plain' && settings.encoding !== 'json' ? contentTypes[settings.encoding] : contentType
    startHead(admitted, settings, [['Content-Type', [type]], ['X-Stream-Output', ['1']], ...length === undefined ? [] : [['X-Content-Length', [String(length)]] as const]])
  }
  if (length !== undefined) start()
  for await (const piece of bytes) {
    start()
    await response.write(piece)
  }
  start()
}

async function emitError (err: unknown, admitted: Admitted, settings: EmitSettings): Promise<void> {
  const code = err instanceof KuboError ? err.code : 0
  const text = errorText(messageOf(err), code, settings.encoding)
  startHead(admitted, settings, [['Content-Type', [settings.encoding === 'textnl' ? '' : contentTypes[settings.encoding]]]], code === 1 ? 400 : 500)
  await admitted.response.write(Buffer.from(text))
  await admitted.response.end()
}

function errorText (message: string, code: number, encoding: Encoding): string {
  if (encoding === 'text' || encoding === 'octet-stream') return message
  if (encoding === 'textnl') return `${message}\n`
  if (encoding === 'xml') return `<Error><Message>${escapeXml(message)}</Message><Code>${code}</Code></Error>`
  return `${encodeGoJson({ Message: message, Code: code, Type: 'error' })}\n`
}

function startHead ({ request, response, headers }: Admitted, { ownHeaders }: EmitSettings, added: readonly (readonly [string, readonly string[]])[], status = 200): void {
  // an upload that was not read to its end cannot be followed by another request
  const closing = request.body.isEnded ? [] : [['Connection', ['close']] as const]
  const all = new Map([...ownHeaders, ...headers, ['Access-Control-Allow-Headers', [streamNames]], ['Access-Control-Expose-Headers', [streamNames]], ...closing, ['Trailer', ['X-Stream-Error']], ...added])
  response.head({ status, headers: all, length: 'unknown' })
}

function encode ({ json, text, printed, xml }: Emitted, encoding: Encoding): Buffer {
  if (encoding === 'json') return Buffer.from(`${encodeGoJson(json)}\n`)
  if (encoding === 'xml') return Buffer.from(encodeXml(xml))
  if (printed !== undefined && (encoding !== 'text' || text === undefined)) return Buffer.from(toGoBytes(`${written(printed)}${encoding === 'textnl' ? '\n' : ''}`))
  if (encoding === 'text' || encoding === 'textnl') return Buffer.from(written(text ?? ''))
  throw new KuboError(`no encoder for ${encoding} here`)
}

function written (text: string | (() => string)): string {
  return typeof text === 'function' ? text() : text
}

function encodeXml (xml: Emitted['xml']): string {
  if (xml === undefined) throw new KuboError('no encoder for xml here')
  if ('refusal' in xml) throw new KuboError(`xml: ${xml.refusal}`)
  return elements([[xml.name, xml.fields]])
}

function elements (fields: XmlFields): string {
  return fields.map(([name, value]) => `<${name}>${typeof value === 'object' ? elements(value) : escapeXml(String(value))}</${name}>`).join('')
}

function escapeXml (text: string): string {
  const escapes: Readonly<Record<string, string>> = { '"': '&#34;', "'": '&#39;', '&': '&amp;', '<': '&lt;', '>': '&gt;', '\t': '&#x9;', '\n': '&#xA;', '\r': '&#xD;' }
  return text.replaceAll(/["'&<>\t\n\r]/g, character => escapes[character]!)
}

async function * none (): AsyncGenerator<Emitted> { /* a group answers nothing */ }
