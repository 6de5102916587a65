/** What the harness says to an engine process: frames with a number to match answers to questions. */
import { ByteReader, ByteWriter } from '../bytes.ts'
import type { RequestId } from '../command.ts'
import type { Member } from '../members.ts'

export type Request =
  | { readonly kind: 'write', readonly id: RequestId | undefined, readonly data: Uint8Array }
  /** All under way at once; answered when the last is applied. */
  | { readonly kind: 'write-many', readonly data: readonly Uint8Array[] }
  | { readonly kind: 'read', readonly key: string }
  | { readonly kind: 'open-session' }
  | { readonly kind: 'admin', readonly order: Order }

export type Order =
  | { readonly do: 'status' | 'dump' | 'member' | 'loop-delay' | 'stop' }
  | { readonly do: 'add', readonly member: Member, readonly asLearner?: boolean }
  | { readonly do: 'remove', readonly id: number }
  | { readonly do: 'replace', readonly id: number, readonly member: Member }
  | { readonly do: 'transfer', readonly id?: number }
  | { readonly do: 'cut', readonly to: readonly number[], readonly from: readonly number[] }

export type Answer =
  | { readonly kind: 'value', readonly value: number }
  | { readonly kind: 'json', readonly json: string }
  | { readonly kind: 'error', readonly code: string, readonly message: string, readonly leader: number }

const requestKinds: ReadonlyArray<Request['kind']> = ['write', 'write-many', 'read', 'open-session', 'admin']

export function encodeRequest (number: number, request: Request): Uint8Array {
  const to = new ByteWriter().varint(number).u8(requestKinds.indexOf(request.kind))
  switch (request.kind) {
    case 'write': {
      to.u8(request.id === undefined ? 0 : 1)
      if (request.id !== undefined) to.varint(request.id.session).varint(request.id.sequence).varint(request.id.answeredBelow)
      return to.bytes(request.data).done()
    }
    case 'write-many':
      to.varint(request.data.length)
      for (const data of request.data) to.bytes(data)
      return to.done()
    case 'read': return to.text(request.key).done()
    case 'open-session': return to.done()
    case 'admin': return to.text(JSON.stringify(request.order)).done()
  }
}

export function decodeRequest (body: Uint8Array): { readonly number: number, readonly request: Request } {
  const from = new ByteReader(body)
  const number = from.varint()
  const kind = requestKinds[from.u8()]
  switch (kind) {
    case 'write': {
      const id = from.u8() === 1 ? { session: from.varint(), sequence: from.varint(), answeredBelow: from.varint() } : undefined
      return { number, request: { kind, id, data: from.bytes() } }
    }
    case 'write-many': return { number, request: { kind, data: Array.from({ length: from.varint() }, () => from.bytes()) } }
    case 'read': return { number, request: { kind, key: from.text() } }
    case 'open-session': return { number, request: { kind } }
    case 'admin': return { number, request: { kind, order: JSON.parse(from.text()) as Order } }
    default: throw new Error('a request of unknown kind')
  }
}

export function encodeAnswer (number: number, answer: Answer): Uint8Array {
  const to = new ByteWriter().varint(number)
  switch (answer.kind) {
    case 'value': return to.u8(0).varint(answer.value).done()
    case 'json': return to.u8(1).text(answer.json).done()
    case 'error': return to.u8(2).text(answer.code).text(answer.message).varint(answer.leader).done()
  }
}

export function decodeAnswerFrame (body: Uint8Array): { readonly number: number, readonly answer: Answer } {
  const from = new ByteReader(body)
  const number = from.varint()
  const kind = from.u8()
  if (kind === 0) return { number, answer: { kind: 'value', value: from.varint() } }
  if (kind === 1) return { number, answer: { kind: 'json', json: from.text() } }
  return { number, answer: { kind: 'error', code: from.text(), message: from.text(), leader: from.varint() } }
}
