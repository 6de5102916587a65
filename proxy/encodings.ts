import { encodeGoJson } from '../cluster/api/kubo/go-json.ts'
import type { GoValue } from '../cluster/api/kubo/go-json.ts'
import type { CommandCall, KuboCommand } from './command.ts'
import type { KuboErrorBody } from './kubo-error.ts'

/** The forms an answer can be asked for in (`encoding=`). Kubo knows no others: `protobuf` has no encoder. */
export type Encoding = 'json' | 'xml' | 'text' | 'textnl' | 'octet-stream'

export const isEncoding = (text: string): text is Encoding => text in contentTypes

/** Content types of values. */
export const contentTypes: Readonly<Record<Encoding, string>> = {
  json: 'application/json', xml: 'application/xml', text: 'text/plain', textnl: 'text/plain', 'octet-stream': 'application/octet-stream'
}

/** Content types of errors: Kubo looks `textnl` up in a table that lacks it, and sends the header empty. */
export const errorContentTypes: Readonly<Record<Encoding, string>> = { ...contentTypes, textnl: '' }

/** One value of a command's answer. @throws Error where Go's encoder has one */
export function encodeValue (command: KuboCommand, encoding: Encoding, value: GoValue, options: CommandCall['options']): string {
  switch (encoding) {
    case 'json': return `${encodeGoJson(value)}\n`
    case 'xml': return command.xml(value)
    case 'text': return command.text === undefined ? command.printed(value) : command.text(value, options as never)
    case 'textnl': return `${command.printed(value)}\n`
    case 'octet-stream': return command.printed(value)
  }
}

export function encodeError (encoding: Encoding, { Message, Code }: KuboErrorBody): string {
  switch (encoding) {
    case 'json': return `${encodeGoJson({ Message, Code, Type: 'error' })}\n`
    case 'xml': return `<Error><Message>${escapeXml(Message)}</Message><Code>${Code}</Code></Error>`
    case 'textnl': return `${Message}\n`
    default: return Message
  }
}

/** Go's `xml.EscapeText`. */
export function escapeXml (text: string): string {
  return text.replace(/["'&<>\t\n\r]|[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, character => xmlEscapes[character] ?? '\ufffd')
}

const xmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;', "'": '&#39;', '&': '&amp;', '<': '&lt;', '>': '&gt;', '\t': '&#x9;', '\n': '&#xA;', '\r': '&#xD;'
}
