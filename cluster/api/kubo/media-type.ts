/** A header like `form-data; name="file"; filename="a%20b"`; the type is lower case, parameter names too. */
export interface MediaType { readonly type: string, readonly params: ReadonlyMap<string, string> }

/**
 * Reads a media type or disposition as Go's `mime.ParseMediaType`: quoted values with backslash escapes, and `undefined` for what Go
 * refuses (no type, a broken parameter, one given twice).
 *
 * @param header one character a byte, as node:http gives headers
 */
export function parseMediaType (header: string): MediaType | undefined {
  const usual = usualForm.exec(header)
  if (usual !== null) return { type: 'form-data', params: new Map([['name', usual[1]!], ['filename', usual[2]!]]) }
  const end = header.indexOf(';')
  const type = (end < 0 ? header : header.slice(0, end)).trim().toLowerCase()
  if (!isType.test(type)) return undefined
  const params = new Map<string, string>()
  parameter.lastIndex = end < 0 ? header.length : end
  while (parameter.lastIndex < header.length) {
    const rest = header.slice(parameter.lastIndex)
    if (/^[ \t]*;?[ \t]*$/.test(rest)) break
    const match = parameter.exec(header)
    if (match === null) return undefined
    const name = match[1]!.toLowerCase()
    if (params.has(name)) return undefined
    params.set(name, match[2] === undefined ? match[3]! : match[2].replace(/\\(["\\])/g, '$1'))
  }
  return { type, params }
}

/** As every client of Kubo's writes it; tens of thousands of files make this count. */
const usualForm = /^form-data; name="([^"\\]*)"; filename="([^"\\]*)"$/
const isType = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:\/[!#$%&'*+.^_`|~0-9a-z-]+)?$/
const parameter = /[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:\\["\\]|[^"])*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))[ \t]*/y
