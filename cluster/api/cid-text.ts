import * as base16 from 'multiformats/bases/base16'
import * as base2 from 'multiformats/bases/base2'
import * as base256emoji from 'multiformats/bases/base256emoji'
import * as base32 from 'multiformats/bases/base32'
import * as base36 from 'multiformats/bases/base36'
import * as base58 from 'multiformats/bases/base58'
import * as base64 from 'multiformats/bases/base64'
import type { MultibaseDecoder } from 'multiformats/bases/interface'
import { CID } from 'multiformats/cid'

interface Base { readonly prefix: string, readonly decoder: MultibaseDecoder<string> }

/** Those of Go's multibase. */
const bases: readonly Base[] = [base58, base32, base36, base16, base64, base2, base256emoji].flatMap(family => Object.values<Base>(family))

/**
 * A CID in any multibase, which may be written in the other case where only one is in use: what go-cid, and so ipfs-cluster, takes.
 *
 * @throws Error when it is none
 */
export function readCid (text: string): CID {
  if (text.startsWith('Qm')) return CID.parse(text)
  const base = bases.find(({ prefix }) => text.startsWith(prefix))
  if (base === undefined) throw new Error('unknown multibase')
  return CID.parse(inCaseOf(text), base.decoder)
}

function inCaseOf (text: string): string {
  return /^[fbcvtk]/.test(text) ? text.toLowerCase() : /^[FBCVTK]/.test(text) ? text.toUpperCase() : text
}
