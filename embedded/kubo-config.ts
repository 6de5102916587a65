import { ClusterError } from '../cluster/api/errors.ts'
import { hashByName } from './dag/hashes.ts'
import type { CidFormat } from './mfs/mfs-node.ts'
import { parsePeerId } from './network/peer-ids.ts'
import type { ConfiguredAuthorizations } from './rpc/authorizations.ts'
import type { ConfiguredHeaders } from './rpc/origins.ts'
import type { DirectoryLayout } from './unixfs/directory.ts'

/** How content is laid out when a call does not say: `Import.*` of Kubo's config. */
export interface ImportDefaults {
  readonly cidVersion: 0 | 1
  readonly rawLeaves: boolean | undefined
  readonly chunker: string
  readonly hash: string
  readonly layout: 'balanced' | 'trickle'
  readonly fileLinksMax: number
  readonly directoryLinksMax: number
  readonly fanout: number
  readonly shardSizeBytes: number
  readonly shardEstimation: 'links' | 'block'
}

export interface KuboSettings {
  readonly httpHeaders: ConfiguredHeaders
  readonly authorizations: ConfiguredAuthorizations
  readonly imports: ImportDefaults
  /** Where to listen for peers; undefined when it is not said. */
  readonly swarm: readonly string[] | undefined
  readonly peering: readonly { readonly peer: string, readonly addresses: readonly string[] }[]
}

/** The part of Kubo's config that this daemon heeds, spelt as there. */
export interface KuboConfig {
  readonly API?: { readonly HTTPHeaders?: ConfiguredHeaders, readonly Authorizations?: ConfiguredAuthorizations }
  readonly Addresses?: { readonly Swarm?: readonly string[] }
  readonly Peering?: { readonly Peers?: readonly { readonly ID: string, readonly Addrs?: readonly string[] | null }[] | null }
}

/** Every key that there is. */
const known: Readonly<Record<string, readonly string[]>> = { API: ['HTTPHeaders', 'Authorizations'], Addresses: ['Swarm'], Peering: ['Peers'] }

export type Profile = 'unixfs-v0-2015' | 'unixfs-v1-2025'

const classic: ImportDefaults = {
  cidVersion: 0, rawLeaves: undefined, chunker: 'size-262144', hash: 'sha2-256', layout: 'balanced',
  fileLinksMax: 174, directoryLinksMax: 0, fanout: 256, shardSizeBytes: 256 * 1024, shardEstimation: 'links'
}
const profiles: Readonly<Record<Profile, ImportDefaults>> = {
  'unixfs-v0-2015': classic,
  'unixfs-v1-2025': { ...classic, cidVersion: 1, rawLeaves: true, chunker: 'size-1048576', fileLinksMax: 1024, shardEstimation: 'block' }
}

/** When directories become shards, and how wide those are. */
export function directoryLayout ({ directoryLinksMax, fanout, shardSizeBytes, shardEstimation }: ImportDefaults): DirectoryLayout {
  return { linksMax: directoryLinksMax, fanout, shardSizeBytes, shardEstimation }
}

/** The format of new nodes that nobody asked anything for. */
export function defaultFormat ({ cidVersion, hash }: ImportDefaults): CidFormat {
  return { cidVersion: hash === 'sha2-256' ? cidVersion : 1, hash: hashByName(hash)! }
}

/** @throws ClusterError ERR_INVALID_ARGUMENT for a key that means nothing here: a setting that is silently ignored is the worst kind */
export function readKuboSettings (config: object = {}, profile: string = 'unixfs-v0-2015'): KuboSettings {
  if (!Object.hasOwn(profiles, profile)) throw new ClusterError('ERR_INVALID_ARGUMENT', `the embedded daemon has no profile ${profile}`)
  for (const [section, value] of Object.entries(config)) {
    for (const key of Object.keys(value as object)) {
      if (!known[section]?.includes(key)) {
        throw new ClusterError('ERR_INVALID_ARGUMENT', `the embedded daemon has no setting ${section}.${key}`)
      }
    }
  }
  const { API = {}, Addresses = {}, Peering = {} } = config as KuboConfig
  const peering = (Peering.Peers ?? []).map(({ ID, Addrs }) => ({ peer: peerOf(ID), addresses: Addrs ?? [] }))
  return { httpHeaders: API.HTTPHeaders ?? {}, authorizations: API.Authorizations ?? {}, imports: profiles[profile as Profile], swarm: Addresses.Swarm, peering }
}

function peerOf (id: string): string {
  try {
    return parsePeerId(id)
  } catch (err) {
    throw new ClusterError('ERR_INVALID_ARGUMENT', `Peering.Peers: ${id} is no peer id`, { cause: err })
  }
}
