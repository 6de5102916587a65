import type { CID } from 'multiformats/cid'
import { quoteGo } from '../cluster/api/kubo/go-text.ts'
import { CarError } from './car-error.ts'
import { CborTokens, printedToken } from './cbor-tokens.ts'
import type { CborToken } from './cbor-tokens.ts'
import { readCid } from './cid-bytes.ts'

/** What the head of a CAR says; 0 and no roots when it does not say. */
export interface CarHeader { readonly version: bigint, readonly roots: readonly CID[] }

const tokenNames = { map: 'map open', array: 'array open', uint: 'uint', int: 'int', string: 'string', bytes: 'bytes', bool: 'bool', float: 'float', null: 'null' } as const satisfies Record<CborToken['kind'], string>

/**
 * The head of a CAR as go-car reads it, whose laxness is part of it: keys in any order or twice, roots that are null or have no tag, and what stands
 * behind the map. What go-car refuses is refused: a root that is no CID would otherwise not be pinned without a word.
 *
 * @throws CarError in go-car's words
 */
export function decodeCarHeader (bytes: Uint8Array): CarHeader {
  const tokens = new CborTokens(bytes)
  let [version, roots]: [bigint, readonly CID[]] = [0n, []]
  const map = tokens.next()
  if (map.kind === 'null') return { version, roots }
  if (map.kind !== 'map') throw misplaced(map, 'start of map')
  for (let left = map.value; left > 0n; left--) {
    const key = tokens.next()
    if (key.kind !== 'string') throw misplaced(key, 'map key')
    if (key.value === 'roots') roots = rootsOf(tokens)
    else if (key.value === 'version') version = versionOf(tokens.next())
    else throw new CarError(`invalid header: unmarshal error: stream contains key ${quoteGo(key.value)}, but there's no such field in structs of type carv1.CarHeader`)
  }
  return { version, roots }
}

function rootsOf (tokens: CborTokens): readonly CID[] {
  const list = tokens.next()
  if (list.kind === 'null') return []
  if (list.kind !== 'array') throw misplaced(list, 'start of array')
  const roots: CID[] = []
  for (let left = list.value; left > 0n; left--) roots.push(rootOf(tokens.next()))
  return roots
}

function rootOf (token: CborToken): CID {
  if (token.kind === 'null') throw new CarError('invalid header: link value was empty')
  if (token.kind !== 'bytes') throw unassignable(token, 'slice')
  if (token.value.length === 0) throw new CarError('invalid header: link value was empty')
  if (token.value[0] !== 0) throw new CarError('invalid header: invalid multibase on IPLD link')
  const read = readCid(token.value.subarray(1))
  if (typeof read === 'string' || read.length !== token.value.length - 1) throw new CarError('invalid header: link value should have been bytes')
  return read.cid
}

function versionOf (token: CborToken): bigint {
  if (token.kind === 'uint' || (token.kind === 'int' && token.value === 0n)) return token.value
  throw unassignable(token, 'uint64')
}

function misplaced (token: CborToken, wanted: string): CarError {
  return new CarError(`invalid header: malformed stream: invalid appearance of ${tokenNames[token.kind]} token; expected ${wanted}`)
}

function unassignable (token: CborToken, field: string): CarError {
  return new CarError(`invalid header: unmarshal error: cannot assign ${printedToken(token)} to ${field} field`)
}
