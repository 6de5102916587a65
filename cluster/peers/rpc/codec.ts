import { CID } from 'multiformats/cid'
import { ByteReader } from '../../api/byte-reader.ts'
import { ByteWriter } from '../../api/byte-writer.ts'

/** A value of one type as bytes. What is read comes from another peer: whatever is not of the type is refused. */
export interface Codec<T> {
  write (to: ByteWriter, value: T): void
  /** @throws Error when the bytes are no such value */
  read (from: ByteReader): T
  /** Bytes that stand behind all others, so that a block is not copied to be sent. */
  tail? (value: T): Uint8Array | undefined
}

/** As pieces that follow one another. */
export function encodeValue<T> (codec: Codec<T>, value: T): readonly Uint8Array[] {
  const to = new ByteWriter()
  codec.write(to, value)
  const tail = codec.tail?.(value)
  return tail === undefined ? [to.finish()] : [to.finish(), tail]
}

/** @throws Error when the bytes are no such value, or more than one */
export function decodeValue<T> (codec: Codec<T>, bytes: Uint8Array): T {
  const from = new ByteReader(bytes)
  const value = codec.read(from)
  if (!from.isAtEnd) throw new Error('bytes follow the value')
  return value
}

export const nothing: Codec<undefined> = { write () {}, read: () => undefined }
export const textCodec: Codec<string> = { write: (to, value) => { to.text(value) }, read: from => from.text() }
export const wholeNumber: Codec<number> = { write: (to, value) => { to.varint(value) }, read: from => from.varint() }
export const bigNumber: Codec<bigint> = { write: (to, value) => { to.varint(value) }, read: from => from.bigint() }
export const booleanCodec: Codec<boolean> = { write: (to, value) => { to.byte(value ? 1 : 0) }, read: from => oneOf([false, true] as const, from.byte()) }
/** Any number, as its eight bytes. */
export const float: Codec<number> = {
  write (to, value) {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    to.raw(bytes)
  },
  read: from => from.raw(8).readDoubleLE()
}
/** Of bytes of its own: those that are read may be reused. */
export const cidCodec: Codec<CID> = { write: (to, value) => { to.bytes(value.bytes) }, read: from => CID.decode(Uint8Array.from(from.bytes())) }

export function listOf<T> (item: Codec<T>): Codec<readonly T[]> {
  return {
    write (to, values) {
      to.varint(values.length)
      for (const value of values) item.write(to, value)
    },
    read (from) {
      const values: T[] = []
      for (let left = from.varint(); left > 0; left--) values.push(item.read(from)) // ends with the bytes, however many it claims
      return values
    }
  }
}

export function wordOf<const W extends string> (words: readonly W[]): Codec<W> {
  return { write: (to, value) => { to.byte(words.indexOf(value)) }, read: from => oneOf(words, from.byte()) }
}

/** Fields in the order they are given. */
export function struct<T extends object> (fields: { readonly [K in keyof T]: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(fields) as Array<keyof T>
  return {
    write (to, value) { for (const name of names) fields[name].write(to, value[name]) },
    read: from => Object.fromEntries(names.map(name => [name, fields[name].read(from)])) as T
  }
}

function oneOf<T> (values: readonly T[], index: number): T {
  if (index >= values.length) throw new Error(`no value has the number ${index}`)
  return values[index]!
}
