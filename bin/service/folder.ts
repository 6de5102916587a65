import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ClusterError } from '../../cluster/api/errors.ts'
import { createIdentity, readIdentity, writeIdentity } from '../../cluster/config/identity.ts'
import type { Identity } from '../../cluster/config/identity.ts'
import type { Environment } from '../../cluster/config/section.ts'
import { readServiceJson, sourceOf, writeServiceJson, writeSourcedJson } from '../../cluster/config/service-json.ts'
import type { Loaded } from '../../cluster/config/service-json.ts'
import { sectionsFor, usualEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { textOf, writePrivately } from './files.ts'
import { sections } from './sections.ts'
import { fetchConfig, keepFetched } from './source.ts'

/** Everything a peer keeps is in one folder. */
export interface PeerFolder {
  readonly path: string
  readonly serviceJson: string
  readonly identityJson: string
  /** What was fetched last from the address that `service.json` names, if it does. */
  readonly sourceJson: string
  /** Pinset and tracker index, and the log. */
  readonly state: string
  /** Within the state: log and pinset are worth something together only. */
  readonly raft: string
  /** The embedded daemon's blocks and pins. */
  readonly embedded: string
  /** Which daemon this peer has used. */
  readonly daemonJson: string
}

export interface Settings extends Loaded<typeof sections> { readonly identity: Identity }

export function peerFolder (written: string): PeerFolder {
  const path = resolve(written.replace(/^~(?=\/|$)/, homedir()))
  return {
    path,
    serviceJson: join(path, 'service.json'),
    identityJson: join(path, 'identity.json'),
    sourceJson: join(path, 'service.source.json'),
    state: join(path, 'state'),
    raft: join(path, 'state', 'raft'),
    embedded: join(path, 'embedded'),
    daemonJson: join(path, 'daemon.json')
  }
}

export interface InitOptions {
  readonly env: Environment
  /** Write a new service.json over the one that is there. The identity stays in any case. */
  readonly overwrites: boolean
  /** By what the peers agree; unless it is said, by etcd where a variable says where that is, otherwise by Raft. */
  readonly engine?: Engine | undefined
  /** Ports that are free here are for the caller to find: settings that stand over the defaults. */
  readonly given?: Environment
  /** Where the rest of the configuration is fetched from at each start. */
  readonly source?: URL
}

/**
 * Makes what is missing: the folder (0700), service.json with the environment's settings in it, identity.json (both 0600). With wrong settings nothing is made.
 *
 * @returns the files that were written
 * @throws ClusterError ERR_INVALID_ARGUMENT naming the setting and what was expected
 */
export async function initFolder (folder: PeerFolder, { env, overwrites, engine = usualEngine(env), given = {}, source }: InitOptions): Promise<readonly string[]> {
  const files: Array<readonly [path: string, text: string]> = []
  if (overwrites || await textOf(folder.serviceJson) === undefined) {
    const secret = { CLUSTER_SECRET: randomBytes(32).toString('hex') }
    const settings = { ...secret, ...withoutEmpty(env), ...given }
    const written = sectionsFor(engine)
    files.push([folder.serviceJson, source === undefined ? writeServiceJson(written, readServiceJson('{}', sections, settings).configs) : writeSourcedJson(source, written, settings)])
  }
  if (await textOf(folder.identityJson) === undefined) files.push([folder.identityJson, writeIdentity(identityIn(env) ?? createIdentity())])

  await mkdir(folder.path, { recursive: true, mode: 0o700 })
  for (const [path, text] of files) await writePrivately(path, text)
  return files.map(([path]) => path)
}

/**
 * Reads what a peer is to be, and fetches the rest of it when `service.json` names an address for that.
 *
 * @throws ClusterError ERR_INVALID_ARGUMENT naming the file, the setting and what was expected
 */
export async function readFolder (folder: PeerFolder, env: Environment): Promise<Settings> {
  const service = await requireText(folder.serviceJson)
  const identity = hasIdentity(env) ? await textOf(folder.identityJson) ?? '{}' : await requireText(folder.identityJson)
  return {
    ...await readService(folder, service, env),
    identity: inFile(folder.identityJson, () => readIdentity(identity, env))
  }
}

/** The same of `service.json` alone, whose text is given. */
export async function readService (folder: PeerFolder, service: string, env: Environment): Promise<Loaded<typeof sections>> {
  const source = inFile(folder.serviceJson, () => sourceOf(service))
  if (source === undefined) return inFile(folder.serviceJson, () => readServiceJson(service, sections, env))

  const { text, warning } = await fetchConfig(source, folder.sourceJson)
  const loaded = inFile(`${folder.serviceJson}, with what ${source.host} has`, () => readServiceJson(service, sections, env, text))
  if (warning === undefined) await keepFetched(source, folder.sourceJson, text)
  return warning === undefined ? loaded : { ...loaded, warnings: [warning, ...loaded.warnings] }
}

/** The identity that the environment gives, which is written down at `init` as all its settings are. @throws ClusterError ERR_INVALID_ARGUMENT for half of one */
function identityIn (env: Environment): Identity | undefined {
  if (hasIdentity(env)) return readIdentity('{}', env)
  const half = ['CLUSTER_ID', 'CLUSTER_PRIVATEKEY'].find(name => env[name])
  if (half !== undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', `${half} is set alone: an identity is CLUSTER_ID and CLUSTER_PRIVATEKEY together`)
  return undefined
}
const hasIdentity = (env: Environment): boolean => Boolean(env['CLUSTER_ID'] && env['CLUSTER_PRIVATEKEY'])

async function requireText (path: string): Promise<string> {
  const text = await textOf(path)
  if (text === undefined) throw new ClusterError('ERR_INVALID_ARGUMENT', `there is no ${path}; run "ipfs-cluster-service init" first, or start with "daemon --init"`)
  return text
}

function inFile<T> (path: string, read: () => T): T {
  try {
    return read()
  } catch (err) {
    if (!(err instanceof ClusterError)) throw err
    throw new ClusterError(err.code, `${path}: ${err.message}`, { cause: err })
  }
}

const withoutEmpty = (env: Environment): Environment => Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
