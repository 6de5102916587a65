import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ClusterError } from '../../cluster/api/errors.ts'
import { createIdentity, readIdentity, writeIdentity } from '../../cluster/config/identity.ts'
import type { Identity } from '../../cluster/config/identity.ts'
import type { Environment } from '../../cluster/config/section.ts'
import { readServiceJson, writeServiceJson } from '../../cluster/config/service-json.ts'
import type { Loaded } from '../../cluster/config/service-json.ts'
import { sections } from './sections.ts'

/** Everything a peer keeps is in one folder. */
export interface PeerFolder {
  readonly path: string
  readonly serviceJson: string
  readonly identityJson: string
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
  /** Ports that are free here are for the caller to find: settings that stand over the defaults. */
  readonly given?: Environment
}

/**
 * Makes what is missing: the folder (0700), service.json with the environment's settings in it, identity.json (both 0600).
 *
 * @returns the files that were written
 */
export async function initFolder (folder: PeerFolder, { env, overwrites, given = {} }: InitOptions): Promise<readonly string[]> {
  await mkdir(folder.path, { recursive: true, mode: 0o700 })
  const written: string[] = []
  if (overwrites || await textOf(folder.serviceJson) === undefined) {
    const secret = { CLUSTER_SECRET: randomBytes(32).toString('hex') }
    const { configs } = readServiceJson('{}', sections, { ...secret, ...withoutEmpty(env), ...given })
    await writePrivately(folder.serviceJson, writeServiceJson(sections, configs))
    written.push(folder.serviceJson)
  }
  if (await textOf(folder.identityJson) === undefined) {
    await writePrivately(folder.identityJson, writeIdentity(createIdentity()))
    written.push(folder.identityJson)
  }
  return written
}

/** @throws ClusterError ERR_INVALID_ARGUMENT naming the file, the setting and what was expected */
export async function readFolder (folder: PeerFolder, env: Environment): Promise<Settings> {
  const service = await requireText(folder.serviceJson)
  const identity = await requireText(folder.identityJson)
  return {
    ...inFile(folder.serviceJson, () => readServiceJson(service, sections, env)),
    identity: inFile(folder.identityJson, () => readIdentity(identity, env))
  }
}

export async function textOf (path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ClusterError('ERR_INVALID_ARGUMENT', `cannot read ${path}: ${(err as Error).message}`, { cause: err })
  }
}

/** Whole or not at all, on disk before it resolves, for the owner's eyes only. */
export async function writePrivately (path: string, text: string): Promise<void> {
  const aside = `${path}.new`
  {
    await using file = await open(aside, 'w', 0o600)
    await file.writeFile(text)
    await file.sync()
  }
  await chmod(aside, 0o600)
  await rename(aside, path)
}

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
