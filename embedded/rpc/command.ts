import type { CID } from 'multiformats/cid'
import type { GoValue } from '../../cluster/api/kubo/go-json.ts'
import type { MultipartPart } from '../../cluster/api/kubo/multipart.ts'
import type { CommandShape, GlobalOptions, OptionsOf, OptionTable } from '../../cluster/api/kubo/request.ts'

/** One call of a command, parsed. */
export interface Call<T extends OptionTable = OptionTable> {
  readonly options: OptionsOf<T> & GlobalOptions
  /** From the path, the query and, where the command allows it, the body. */
  readonly args: readonly string[]
  /** The parts of the upload; each must be read before the next. */
  readonly parts: AsyncIterable<MultipartPart>
  /** A CID as this caller wants to see it (`cid-base`). @throws KuboError when that is no base */
  readonly showCid: (cid: CID) => string
  /** Aborts when the client has gone or its `timeout` has passed. */
  readonly signal: AbortSignal
}

/** A value in every form it can be asked for. What the text form throws is an error for those alone who asked for text. */
export interface Emitted {
  readonly json: GoValue
  readonly text?: string | (() => string)
  /** Go's way of printing the value: what clients get that ask for text of a command without a text form, or for `textnl` or bytes. */
  readonly printed?: string | (() => string)
  /** Go's name of the value and its fields in order, a list as several of one name; or why Go has no such form of it. */
  readonly xml?: { readonly name: string, readonly fields: XmlFields } | { readonly refusal: string }
}

export type XmlFields = readonly (readonly [string, string | number | bigint | XmlFields])[]

export type Answer =
  | { readonly kind: 'one', readonly value: Emitted }
  | { readonly kind: 'many', readonly values: AsyncIterable<Emitted> }
  | { readonly kind: 'bytes', readonly contentType: string, readonly length?: number, readonly bytes: AsyncIterable<Uint8Array> }
  /** Success, and no more to say; `afterwards` when the client has been told. */
  | { readonly kind: 'nothing', readonly afterwards?: () => void }

export interface Command<T extends OptionTable = OptionTable> extends CommandShape<T> {
  run (call: Call<T>): Promise<Answer> | Answer
}

/** Checks a command where it is written, and lets tables hold commands of different options. */
export function command<const T extends OptionTable> (written: Command<T>): Command {
  return written as unknown as Command
}

/** One line of an answer of many. */
export function line (json: GoValue, text?: Emitted['text']): Emitted {
  return text === undefined ? { json } : { json, text }
}
