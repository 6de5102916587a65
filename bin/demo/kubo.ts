import { execFile } from 'node:child_process'
import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { startChild } from './child.ts'
import type { Child } from './child.ts'

const initTimeoutMs = 60_000
const run = promisify(execFile)

export interface DemoKubo { readonly child: Child, readonly multiaddr: string }

/** The Kubo that `IPFS_BIN` names, else `ipfs` on the PATH, else none. @throws Error when what `IPFS_BIN` names cannot be run */
export async function findKubo ({ IPFS_BIN: named = '', PATH: path = '' }: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (named !== '') {
    if (!await isProgram(named)) throw new Error(`IPFS_BIN names ${named}, which cannot be run`)
    return named
  }
  for (const folder of path.split(delimiter).filter(folder => folder !== '')) {
    if (await isProgram(join(folder, 'ipfs'))) return join(folder, 'ipfs')
  }
  return undefined
}

/** A daemon on a repo of its own that knows nobody outside this machine, on ports that it finds free itself. */
export async function startKubo (binary: string, { name, folder, env, signal }: { readonly name: string, readonly folder: string, readonly env: NodeJS.ProcessEnv, readonly signal: AbortSignal }): Promise<DemoKubo> {
  const repo = join(folder, 'repo')
  const own = { ...env, IPFS_PATH: repo }
  await mkdir(repo, { recursive: true })
  await run(binary, ['init', '--empty-repo'], { env: own, signal, timeout: initTimeoutMs })
  const config = JSON.parse(await readFile(join(repo, 'config'), 'utf8')) as object
  await writeFile(join(repo, 'config'), JSON.stringify({ ...config, ...aloneOnLoopback }, undefined, 2))

  const child = await startChild({ name, command: binary, args: ['daemon'], env: own, log: join(folder, 'kubo.log') })
  try {
    const [, multiaddr] = await child.said(/RPC API server listening on (\S+)/, signal)
    await child.said(/Daemon is ready/, signal)
    return { child, multiaddr: multiaddr! }
  } catch (err) {
    await child[Symbol.asyncDispose]()
    throw err
  }
}

const aloneOnLoopback = {
  Addresses: { API: '/ip4/127.0.0.1/tcp/0', Gateway: [], Swarm: ['/ip4/127.0.0.1/tcp/0'], Announce: [], AppendAnnounce: [], NoAnnounce: [] },
  AutoConf: { Enabled: false },
  AutoTLS: { Enabled: false },
  Bootstrap: [],
  DNS: { Resolvers: {} },
  Discovery: { MDNS: { Enabled: false } },
  Ipns: { DelegatedPublishers: [] },
  Routing: { Type: 'none', DelegatedRouters: [] },
  Swarm: { DisableNatPortMap: true, RelayClient: { Enabled: false }, RelayService: { Enabled: false }, Transports: { Network: { Relay: false } } }
}

async function isProgram (path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(() => true, () => false)
}
