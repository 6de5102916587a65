import type { CID } from 'multiformats/cid'
import { readCid } from '../api/cid-text.ts'
import { parsePeerId } from '../api/peer-id.ts'
import type { PeerId } from '../api/pin.ts'
import { parseGoTime } from '../api/go-time.ts'
import { durationMs } from '../config/section.ts'
import { booleanSchema, cidSchema, peerSchema, timeSchema, wordSchema } from './schema.ts'
import type { Schema } from './schema.ts'

/** One parameter of a query: how it is read, and what the documents say of it. */
export interface Parameter<T> {
  readonly about: string
  /** Of the text as it stands in the query. */
  readonly schema: Schema
  /** Where it is absent or empty: Go's client sends many of them empty. */
  readonly fallback: T
  /** Whether it is several texts with commas between. */
  readonly isList?: true
  /** @throws Error that says what was expected */
  readonly read: (text: string) => T
  /** The words of ipfs-cluster, where a text that cannot be read is answered with other ones than usual. */
  readonly refusal?: (why: string) => string
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>
export type ValuesOf<P extends Parameters> = { readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never }

/** Go's strconv.ParseBool. */
export function flag (about: string, fallback = false): Parameter<boolean> {
  return {
    about, fallback,
    schema: { ...booleanSchema, default: fallback },
    read (text) {
      if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
      if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
      throw new Error('expected true or false')
    }
  }
}

/** Neither true nor false unless it is given. */
export function optionalFlag (about: string): Parameter<boolean | undefined> {
  return { about, fallback: undefined, schema: booleanSchema, read: flag(about).read }
}

export function integer (about: string, { min, max }: { readonly min: number, readonly max: number }): Parameter<number | undefined> {
  return {
    about, fallback: undefined,
    schema: { type: 'integer', minimum: min, maximum: max },
    read (text) {
      const number = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : NaN
      if (!(number >= min && number <= max)) throw new Error(`expected an integer from ${min} to ${max}`)
      return number
    }
  }
}

/** Some text of at most `maxBytes` in UTF-8; empty where it is absent. */
export function text (about: string, maxBytes: number): Parameter<string> {
  return {
    about, fallback: '',
    schema: { type: 'string', maxLength: maxBytes },
    read (written) {
      if (Buffer.byteLength(written) > maxBytes) throw new Error(`expected at most ${maxBytes} bytes`)
      return written
    }
  }
}

const chunkBytesMax = 2_096_896
const rabinBytesMin = 16

/** How a file is cut, in Kubo's words and within its bounds (boxo `chunker/parse.go`). */
export function chunker (about: string): Parameter<string> {
  return {
    about, fallback: '',
    schema: { type: 'string', examples: ['size-262144'] },
    read (text) {
      const [, kind, ...sizes] = /^(size|rabin|buzhash|default)(?:-(\d{1,9})(?:-(\d{1,9})-(\d{1,9}))?)?$/.exec(text) ?? []
      const [min = 1, average, max] = sizes.filter(size => size !== undefined).map(Number)
      const isInOrder = max === undefined ? min * 1.5 <= chunkBytesMax : min < average! && average! < max && max <= chunkBytesMax
      const isRight = kind === 'size' ? sizes[0] !== undefined && average === undefined && min >= 1 && min <= chunkBytesMax
        : kind === 'rabin' ? sizes[0] === undefined || (isInOrder && min >= (max === undefined ? 3 : 1) * rabinBytesMin)
          : kind !== undefined && sizes[0] === undefined
      if (!isRight) throw new Error(`expected size-N, rabin, rabin-AVG, rabin-MIN-AVG-MAX or buzhash, with pieces of ${rabinBytesMin} (size: 1) to ${chunkBytesMax} bytes`)
      return text
    }
  }
}

export function word<const W extends string> (about: string, words: readonly W[], fallback: W): Parameter<W> {
  return {
    about, fallback,
    schema: { ...wordSchema(words), default: fallback },
    read (text) {
      const found = words.find(candidate => candidate === text)
      if (found === undefined) throw new Error(`expected ${words.join(' or ')}`)
      return found
    }
  }
}

/** A filter: words with commas between. One that is not known makes all of it wrong, or a misspelt filter would list everything. */
export function filter<const W extends string> (about: string, known: readonly W[]): Parameter<readonly W[]> {
  return {
    about, fallback: [], isList: true,
    refusal: () => 'invalid filter value',
    schema: { type: 'string', pattern: `^(${known.join('|')})(,(${known.join('|')}))*$` },
    read: text => listOf(text).map(item => {
      const found = known.find(candidate => candidate === item)
      if (found === undefined) throw new Error(`expected ${known.join(', ')}, with commas between`)
      return found
    })
  }
}

export function cid (about: string): Parameter<CID | undefined> {
  return { about, fallback: undefined, schema: cidSchema, read: parseCid }
}

export function cids (about: string, max: number): Parameter<readonly CID[]> {
  return {
    about, fallback: [], isList: true,
    refusal: why => `error decoding Cid: ${why}`,
    schema: { type: 'string', description: `at most ${max}, with commas between` },
    read (text) {
      const items = listOf(text)
      if (items.length > max) throw new Error(`expected at most ${max} CIDs, got ${items.length}`)
      return items.map(parseCid)
    }
  }
}

export function peers (about: string): Parameter<readonly PeerId[]> {
  return { about, fallback: [], isList: true, schema: { type: 'string', examples: peerSchema['examples'] }, read: text => listOf(text).map(parsePeerId) }
}

/** @throws Error in words of ours: the parser's own speak of its decoders */
export function parseCid (text: string): CID {
  try {
    return readCid(text)
  } catch (err) {
    throw new Error(`${JSON.stringify(text.slice(0, 100))} is not a CID`, { cause: err })
  }
}

/** Milliseconds since the epoch. */
export function time (about: string): Parameter<number | undefined> {
  return { about, fallback: undefined, schema: timeSchema, read: text => parseGoTime(text) }
}

/** Milliseconds, written as Go does. */
export function duration (about: string, min: string): Parameter<number | undefined> {
  const { parse } = durationMs('0s', { min })
  return { about, fallback: undefined, schema: { type: 'string', examples: ['1h30m0s'] }, read: text => parse(text) }
}

/** Multiaddrs of nodes, with commas between. */
export function origins (about: string): Parameter<readonly string[]> {
  return {
    about, fallback: [], isList: true,
    schema: { type: 'string', examples: ['/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWGrX5vAy1mFkpQUnLNTJLgqh1FX1c5oD8EMpWkVyYcJjM'] },
    read: text => listOf(text).map(item => {
      if (!/^\/.+\/p2p\/[^/]+$/.test(item)) throw new Error('expected multiaddrs that end in /p2p/<peer id>')
      return item
    })
  }
}

const listOf = (text: string): string[] => text.split(',').filter(item => item !== '')
