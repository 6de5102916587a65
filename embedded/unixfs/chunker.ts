import { ByteCursor } from '../../cluster/api/kubo/byte-cursor.ts'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { buzhashChunks } from './buzhash.ts'
import { rabinChunks } from './rabin.ts'

export type Chunker = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

const chunkBytesMax = 2096896
const defaultBytes = 262144
const rabinMinBytes = 16

/** Reads `chunker` as boxo does. @throws KuboError in its words */
export function createChunker (text: string): Chunker {
  if (text === '' || text === 'default') return fixed(defaultBytes)
  if (text.startsWith('size-')) return fixed(fixedSize(text))
  if (text === 'buzhash') return buzhashChunks
  if (text.startsWith('rabin')) return parseRabin(text)
  throw new KuboError(`unrecognized chunker option: ${text}`)
}

function fixedSize (text: string): number {
  const parts = text.split('-')
  if (parts.length !== 2) throw new KuboError('incorrect chunker string format (expected size-{size})')
  const size = parseAtoi(parts[1]!)
  if (size <= 0) throw new KuboError('chunker size must be greater than 0')
  return checked(size)
}

/** Go's `strconv.Atoi`. */
function parseAtoi (text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new KuboError(`strconv.Atoi: parsing ${quoteGo(text)}: invalid syntax`)
  return Number(text)
}

function checked (bytes: number): number {
  if (bytes > chunkBytesMax) throw new KuboError(`chunker parameters may not exceed the maximum chunk size of ${chunkBytesMax}`)
  return bytes
}

function fixed (bytes: number): Chunker {
  return async function * (source) {
    const cursor = new ByteCursor(source)
    for (let chunk = await cursor.read(bytes); chunk.length > 0; chunk = await cursor.read(bytes)) yield chunk
  }
}

function parseRabin (text: string): Chunker {
  const parts = text.split('-')
  const average = (bytes: number): Chunker => rabinOf(Math.floor(bytes / 3), bytes, bytes + Math.floor(bytes / 2))
  if (parts.length === 1) return average(defaultBytes)
  if (parts.length === 2) return average(checkedAverage(parseAtoi(parts[1]!)))
  if (parts.length !== 4) throw new KuboError("incorrect format (expected 'rabin' 'rabin-[avg]' or 'rabin-[min]-[avg]-[max]'")
  const [min, avg, max] = ['min', 'avg', 'max'].map((label, i) => labelled(parts[i + 1]!, label))
  if (min! < rabinMinBytes) throw new KuboError('rabin min must be greater than 16')
  return rabinOf(min!, avg!, checked(max!))
}

function checkedAverage (bytes: number): number {
  checked(bytes + Math.floor(bytes / 2))
  return bytes
}

function labelled (text: string, label: string): number {
  const parts = text.split(':')
  const which = { min: 'first', avg: 'second', max: 'final' }[label]
  if (parts.length > 1 && parts[0] !== label) throw new KuboError(`${which} label must be ${label}`)
  return parseAtoi(parts.at(-1)!)
}

function rabinOf (minBytes: number, averageBytes: number, maxBytes: number): Chunker {
  return source => rabinChunks(source, { minBytes, averageBytes, maxBytes })
}
