import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { decode } from 'multiformats/hashes/digest'
import type { Placeholders } from './kubo.ts'

const libp2pKey = 0x72

/** Asks a running daemon, or a proxy before it, for what differs from one to the next. `config` is what it was started with, for its `API.Authorizations`. */
export async function placeholdersOf (host: string, port: number, config: object = {}): Promise<Placeholders> {
  const headers = authorization(config)
  const ask = async <T> (command: string): Promise<T> => {
    const response = await fetch(`http://${host}:${port}/api/v0/${command}`, { method: 'POST', headers })
    if (!response.ok) throw new Error(`${command}: ${response.status} ${await response.text()}`)
    return await response.json() as T
  }
  const { ID, PublicKey, Addresses } = await ask<{ ID: string, PublicKey: string, Addresses: readonly string[] | null }>('id')
  const { Version } = await ask<{ Version: string }>('version')
  const { RepoPath } = await ask<{ RepoPath: string }>('repo/stat')
  const key = CID.createV1(libp2pKey, decode(base58btc.decode(`z${ID}`)))
  return {
    API_PORT: String(port),
    SWARM_PORT: /\/tcp\/(\d+)/.exec(Addresses?.[0] ?? '')?.[1] ?? '0',
    REPO_PATH: RepoPath,
    PEER_ID: ID,
    PEER_ID_B36: key.toString(base36),
    PUBLIC_KEY: PublicKey,
    VERSION: Version
  }
}

/** The header of somebody who may call everything. */
function authorization (config: { API?: { Authorizations?: Readonly<Record<string, { AuthSecret: string, AllowedPaths: readonly string[] }>> } }): Record<string, string> {
  const users = Object.values(config.API?.Authorizations ?? {})
  const secret = users.find(({ AuthSecret, AllowedPaths }) => AuthSecret.startsWith('bearer:') && AllowedPaths.includes('/api/v0'))?.AuthSecret
  return secret === undefined ? {} : { Authorization: `Bearer ${secret.slice('bearer:'.length)}` }
}
