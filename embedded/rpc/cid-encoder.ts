import { base10 } from 'multiformats/bases/base10'
import { base16, base16upper } from 'multiformats/bases/base16'
import { base2 } from 'multiformats/bases/base2'
import { base32, base32hex, base32hexpad, base32hexpadupper, base32hexupper, base32pad, base32padupper, base32upper, base32z } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc, base58flickr } from 'multiformats/bases/base58'
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64'
import { base8 } from 'multiformats/bases/base8'
import type { MultibaseEncoder } from 'multiformats/bases/interface'
import { CID } from 'multiformats/cid'
import type { GlobalOptions } from '../../cluster/api/kubo/request.ts'
import { printCid } from '../dag/cid-print.ts'
import { KuboError } from './kubo-error.ts'

const bases = [
  base2, base8, base10, base16, base16upper, base32, base32upper, base32pad, base32padupper, base32hex, base32hexupper, base32hexpad,
  base32hexpadupper, base32z, base36, base36upper, base58btc, base58flickr, base64, base64pad, base64url, base64urlpad
]
/** A CID in another base than its own has to be of version 1. */
const defaultBaseName = 'base58btc'

/** The bytes of a text in any base that a CID can be written in; undefined when its prefix names none. @throws Error for letters that are not in it */
export function decodeMultibase (text: string): Uint8Array | undefined {
  const base = bases.find(({ prefix }) => text.startsWith(prefix))
  return base?.decoder.decode(text as never)
}

/** How this caller wants CIDs that are given as text: as they are, or in `cid-base`, for which version 0 becomes version 1. */
export function createCidEncoder ({ 'cid-base': name, 'upgrade-cidv0-in-output': upgrade }: Pick<GlobalOptions, 'cid-base' | 'upgrade-cidv0-in-output'>): (cid: CID) => string {
  if (name === undefined || name === '') return upgrade === true ? cid => printCid(cid.toV1()) : printCid
  const base = bases.find(base => base.name === name || base.prefix === name)
  if (base === undefined) throw new KuboError(`unsupported multibase encoding: ${name}`)
  const encoder = base.encoder as MultibaseEncoder<string>
  const isUpgraded = upgrade ?? name !== defaultBaseName
  return cid => cid.version === 0 && !isUpgraded ? cid.toString() : cid.toV1().toString(encoder)
}
