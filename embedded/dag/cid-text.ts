import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import { decodeMultibase } from '../rpc/cid-encoder.ts'
import { KuboError } from '../rpc/kubo-error.ts'

export interface IpfsPath {
  readonly namespace: 'ipfs' | 'ipld' | 'ipns'
  /** The CID of an `ipfs` or `ipld` path. */
  readonly root: CID
  readonly segments: readonly string[]
  readonly text: string
}

/** An IPNS name cannot be resolved by a daemon without routing; it is a path all the same. */
export type AnyPath = IpfsPath & { readonly namespace: 'ipfs' | 'ipld' } | { readonly namespace: 'ipns', readonly text: string }

/** Reads an argument as Kubo does: a path, or a bare CID that is taken for one. @throws KuboError in the words of boxo's `path` */
export function parsePath (argument: string): AnyPath {
  const text = fromUri(argument)
  try {
    return parseWholePath(text)
  } catch (err) {
    if (text.startsWith('/')) throw err
    try {
      return parseWholePath(`/ipfs/${text}`)
    } catch {
      throw err
    }
  }
}

/** `ipfs://CID/a` and `IPFS:CID/a` as the path that they mean; all else as it is. */
export function fromUri (text: string): string {
  return text.replace(/^(ipfs|ipns|ipld):(?:\/\/)?/i, (_, namespace: string) => `/${namespace.toLowerCase()}/`)
}

/** @throws Error in the words of go-cid */
export function parseCid (text: string): CID {
  if (text.length < 2) throw new Error('cid too short')
  if (text.length === 46 && text.startsWith('Qm')) return CID.decode(decoded(() => base58btc.decode(`z${text}`)))
  const bytes = decoded(() => decodeMultibase(text))
  if (bytes === undefined) throw new Error('selected encoding not supported')
  return CID.decode(bytes)
}

function parseWholePath (text: string): AnyPath {
  const refuse = (why: string): KuboError => new KuboError(`invalid path ${quoteGo(text)}: ${why}`)
  const [, namespace = '', name = '', ...segments] = cleanSegments(text)
  if (!text.startsWith('/') || name === '') throw refuse('path does not have enough components')
  if (namespace === 'ipns') return { namespace, text }
  if (namespace !== 'ipfs' && namespace !== 'ipld') throw refuse(`unknown namespace: ${quoteGo(namespace)}`)
  try {
    return { namespace, root: parseCid(name), segments, text }
  } catch (err) {
    throw refuse(`invalid cid: ${(err as Error).message}`)
  }
}

/** Go's `path.Clean`, split: no empty segments, no `.`, and `..` goes up. */
function cleanSegments (text: string): string[] {
  const segments: string[] = []
  for (const segment of text.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return ['', ...segments]
}

/** @throws Error whose text says what multiformats made of it: Go words that differently, and nobody reads it */
function decoded<T> (decode: () => T): T {
  try {
    return decode()
  } catch (err) {
    throw new Error(`selected encoding not supported`, { cause: err })
  }
}
