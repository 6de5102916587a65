/** A header like `form-data; name="file"; filename="a%20b"`; the type is lower case, parameter names too. */
export interface MediaType { readonly type: string, readonly params: ReadonlyMap<string, string> }

/** As `readMediaType`; `undefined` for what Go refuses. */
export function parseMediaType (header: string): MediaType | undefined {
  const read = readMediaType(header)
  return typeof read === 'string' ? undefined : read
}

/**
 * Reads a media type or disposition as Go's `mime.ParseMediaType`: quoted values with backslash escapes, parameters in pieces or with
 * their character set (`filename*=utf-8''…`, RFC 2231).
 *
 * @param header one character a byte, as node:http gives headers
 * @returns what is wrong, in Go's words, for what Go refuses
 */
export function readMediaType (header: string): MediaType | string {
  const usual = usualForm.exec(header)
  if (usual !== null) return { type: 'form-data', params: new Map([['name', usual[1]!], ['filename', usual[2]!]]) }
  const end = header.indexOf(';')
  const type = (end < 0 ? header : header.slice(0, end)).trim().toLowerCase()
  const wrong = wrongType(type)
  if (wrong !== undefined) return wrong
  const params = new Map<string, string>()
  parameter.lastIndex = end < 0 ? header.length : end
  while (parameter.lastIndex < header.length) {
    const rest = header.slice(parameter.lastIndex)
    if (/^\s*;?\s*$/.test(rest)) break
    const match = parameter.exec(header)
    if (match === null) return 'mime: invalid media parameter'
    const name = match[1]!.toLowerCase()
    const value = match[2] === undefined ? match[3]! : match[2].replace(/\\([()<>@,;:\\"/[\]?=])/g, '$1')
    if ((params.get(name) ?? value) !== value) return 'mime: duplicate parameter name'
    params.set(name, value)
  }
  return { type, params: joined(params) }
}

/** As every client of Kubo's writes it; tens of thousands of files make this count. */
const usualForm = /^form-data; name="([^"\\]*)"; filename="([^"\\]*)"$/
const parameter = /\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:\\[()<>@,;:\\"/[\]?=]|[^"])*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))\s*/y

function wrongType (type: string): string | undefined {
  const [, token, rest] = /^([!#$%&'*+.^_`|~0-9a-z-]*)(.*)$/s.exec(type) as unknown as [string, string, string]
  if (token === '') return 'mime: no media type'
  if (rest === '') return undefined
  if (!rest.startsWith('/')) return 'mime: expected slash after first token'
  const [, subtype, more] = /^\/([!#$%&'*+.^_`|~0-9a-z-]*)(.*)$/s.exec(rest) as unknown as [string, string, string]
  if (subtype === '') return 'mime: expected token after slash'
  return more === '' ? undefined : 'mime: unexpected content after media subtype'
}

/** Puts parameters together that came in pieces: `name*0="a"; name*1="b"`, or that name their character set: `name*=utf-8''%C3%BC`. */
function joined (params: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const starred = new Set([...params.keys()].filter(name => name.includes('*')).map(name => name.slice(0, name.indexOf('*'))))
  if (starred.size === 0) return params
  const whole = new Map([...params].filter(([name]) => !name.includes('*')))
  for (const name of starred) {
    const single = params.get(`${name}*`)
    const value = single === undefined ? piecesOf(name, params) : decoded(single)
    if (value !== undefined) whole.set(name, value)
  }
  return whole
}

function piecesOf (name: string, params: ReadonlyMap<string, string>): string | undefined {
  let value: string | undefined
  for (let n = 0; ; n++) {
    const simple = params.get(`${name}*${n}`)
    const encoded = params.get(`${name}*${n}*`)
    if (simple === undefined && encoded === undefined) return value
    value = (value ?? '') + (simple ?? (n === 0 ? decoded(encoded!) : unescaped(encoded!)) ?? '')
  }
}

/** `charset'language'text`; only UTF-8 and what is part of it are known. */
function decoded (text: string): string | undefined {
  const match = /^(us-ascii|utf-8)'[^']*'(.*)$/is.exec(text)
  return match === null ? undefined : unescaped(match[2]!)
}

/** Still one character a byte, like what is not escaped. */
function unescaped (text: string): string | undefined {
  return /%(?![0-9a-f]{2})/i.test(text) ? undefined : text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}
