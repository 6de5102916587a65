/**
 * An `ipfs` whose daemons have a peer in front of them, for Kubo's own tests (`test/cli`, `test/sharness`): they find the address of the proxy in
 * `$IPFS_PATH/api`. Put this where those tests look for their program, `cmd/ipfs/ipfs`:
 *
 *     #!/bin/sh
 *     export IPFS_BIN=/path/to/ipfs
 *     for word; do case $word in -h|--help) break;; -*) ;; daemon) exec node /path/to/ipfs-with-proxy.ts "$@";; *) break;; esac; done
 *     exec "$IPFS_BIN" "$@"
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../harness/eventually.ts'
import { startPeerProcess } from '../harness/process.ts'
import type { PeerProcess } from '../harness/process.ts'

const repo = process.env['IPFS_PATH'] ?? join(homedir(), '.ipfs')
const api = join(repo, 'api')
const contentOf = async (file: string): Promise<string> => await readFile(file, 'utf8').catch(() => '')

const before = await contentOf(api)
const daemon = spawn(process.env['IPFS_BIN'] ?? 'ipfs', process.argv.slice(2), { stdio: 'inherit' })
const ended = once(daemon, 'close') as Promise<[number | null]>
const leaving = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.on(signal, () => { daemon.kill(signal) })

await using undo = new AsyncDisposableStack()
const folder = undo.adopt(await mkdtemp(join(tmpdir(), 'ipfs-quorum-front-')), async path => await rm(path, { recursive: true, force: true }))
const opening = putInFront().catch((err: unknown) => { if (!leaving.signal.aborted) console.error(err) })
const [code] = await ended
leaving.abort()
await opening
await rm(join(repo, 'api.daemon'), { force: true })
process.exitCode = code ?? 1

/** Takes the daemon's address away as soon as it is there, and puts the proxy's in its place once that listens. */
async function putInFront (): Promise<void> {
  await eventually('the daemon listens', async () => ![before, ''].includes(await contentOf(api)), { intervalMs: 1, signal: leaving.signal })
  await rename(api, join(repo, 'api.daemon'))
  const node = (await contentOf(join(repo, 'api.daemon'))).trim()
  const { API: { Authorizations: users = {} } = {} } = JSON.parse(await contentOf(join(repo, 'config'))) as { API?: { Authorizations?: Record<string, { AuthSecret: string }> } }
  const [first] = Object.values(users)
  const peer: PeerProcess = await startPeerProcess(folder, {
    CLUSTER_IPFSPROXY_NODEMULTIADDRESS: node,
    CLUSTER_IPFSHTTP_NODEMULTIADDRESS: node,
    ...first !== undefined && { CLUSTER_IPFSPROXY_APIAUTH: first.AuthSecret, CLUSTER_IPFSHTTP_APIAUTH: first.AuthSecret }
  })
  undo.defer(async () => { await peer.stop('SIGKILL') })
  const { hostname, port } = new URL(peer.proxy)
  await writeFile(join(repo, 'api.proxy'), `/ip4/${hostname}/tcp/${port}`)
  await rename(join(repo, 'api.proxy'), api)
}
