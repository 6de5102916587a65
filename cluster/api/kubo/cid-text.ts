import { base16, base16upper } from 'multiformats/bases/base16'
import { base2 } from 'multiformats/bases/base2'
import { base256emoji } from 'multiformats/bases/base256emoji'
import { base32, base32hex, base32hexpad, base32hexpadupper, base32hexupper, base32pad, base32padupper, base32upper } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc, base58flickr } from 'multiformats/bases/base58'
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64'
import type { MultibaseEncoder } from 'multiformats/bases/interface'
import type { CID } from 'multiformats/cid'
import { fromGoBytes } from './go-text.ts'

/** How Kubo prints CIDs that are strings in its answers. */
export type CidText = (cid: CID) => string

/**
 * The printer that the options `cid-base` (a name or its prefix letter) and `upgrade-cidv0-in-output` ask for. Without them a CIDv0
 * stays base58 and everything else is base32; any base but base58btc turns a CIDv0 into its CIDv1 form, unless the second says no.
 *
 * @throws Error in Kubo's words when there is no such base
 */
export function cidTextFor ({ 'cid-base': name, 'upgrade-cidv0-in-output': upgrade }: { 'cid-base'?: string | undefined, 'upgrade-cidv0-in-output'?: boolean | undefined }): CidText {
  const base = name === undefined || name === '' ? undefined : bases.get(name)
  if (name !== undefined && name !== '' && base === undefined) throw new Error(`unsupported multibase encoding: ${name}`)

  const upgrades = upgrade ?? (base !== undefined && base !== base58btc)
  const encoder: MultibaseEncoder<string> = base ?? base32
  return cid => {
    if (cid.version === 0 && !upgrades) return cid.toString()
    return encoder.encode((cid.version === 0 ? cid.toV1() : cid).bytes)
  }
}

/** The bytes as they are, which are no text: what JSON makes of them is up to it. */
const identity = { name: 'identity', prefix: '\0', encode: (bytes: Uint8Array): string => `\0${fromGoBytes(bytes)}` } as unknown as typeof base32

const known: readonly (MultibaseEncoder<string> & { readonly name: string, readonly prefix: string })[] = [
  identity, base2, base16, base16upper, base32, base32upper, base32pad, base32padupper, base32hex, base32hexupper, base32hexpad,
  base32hexpadupper, base36, base36upper, base58btc, base58flickr, base64, base64url, base64pad, base64urlpad, base256emoji
]
const bases: ReadonlyMap<string, MultibaseEncoder<string>> = new Map(known.flatMap(base => [[base.name, base], [base.prefix, base]]))
