import { runInNewContext } from 'node:vm'
import { setFlagsFromString } from 'node:v8'
import { trackerStatuses } from '../../cluster/api/pin-info.ts'
import { eventually } from '../harness/eventually.ts'
import { startPeer } from '../harness/peer.ts'
import type { Peer } from '../harness/peer.ts'

const { signal } = new AbortController()
const settleMs = 180_000
const leftBehindMax = 2

/** A peer in front of an embedded daemon on memory stores, and what must be true of it whatever was sent. */
export interface Target extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Of content that it has, and of content that nobody has. */
  readonly cids: readonly string[]
  /** @throws Error that says what is not as it must be */
  assertWell (): Promise<void>
  /** Empties it. @returns the bytes that are still held then */
  reset (): Promise<number>
}

export async function startTarget (): Promise<Target> {
  const peer = await startPeer({ args: ['--offline'] })
  for (const cid of await daemonPins(peer)) await ask(peer.daemon, `pin/rm?arg=${cid}`)
  const cids = await fill(peer)
  return {
    host: peer.host,
    port: peer.port,
    cids,
    async assertWell () {
      await assertWorks(peer)
      await assertAgreed(peer)
    },
    async reset () {
      for (const cid of await daemonPins(peer)) await ask(peer, `pin/rm?arg=${cid}`).catch(unlessLetGo)
      await ask(peer, 'files/rm?arg=/a&force=true').catch(() => undefined)
      await ask(peer, 'repo/gc')
      await fill(peer)
      return bytesHeld()
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]()
  }
}

async function fill (peer: Peer): Promise<readonly string[]> {
  const added = await Promise.all(['one', 'two', 'three'].map(async text => hashOf(await ask(peer, 'add?cid-version=1&pin=false', fileOf(text)))))
  return [...added, 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn', 'bafkqaaa', 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy']
}

/** What was asked of it in good order is done. */
async function assertWorks (peer: Peer): Promise<void> {
  const cid = hashOf(await ask(peer, 'add?pin-name=well', fileOf('still there')))
  const text = await ask(peer, `cat?arg=${cid}`)
  if (text !== 'still there') throw new Error(`cat of what was just added answers ${JSON.stringify(text)}`)
  const pins = await ask(peer, `pin/ls?arg=${cid}&names=true`)
  if (!pins.includes('"well"')) throw new Error(`what was just added is not pinned: ${pins}`)
  await ask(peer, `pin/rm?arg=${cid}`)
}

/**
 * Nothing is half pinned: the cluster's pins are the daemon's, and each is held. A daemon whose caller goes in the very moment in which it has pinned
 * cannot be told in time to let go; that pin is then its own, and seen by everybody. Those are rare.
 */
async function assertAgreed (peer: Peer): Promise<void> {
  await eventually('the pins of the cluster are those of the daemon', async () => {
    await takeBackWhatIsLacking(peer)
    const ofCluster = (await Array.fromAsync(peer.cluster.state.list({ signal }))).map(({ cid, mode }) => `${mode} ${cid.toString()}`).sort()
    const ofDaemon = (await daemonPins(peer, 'with modes')).toSorted()
    const leftBehind = ofDaemon.filter(pin => !ofCluster.includes(pin)).map(pin => `only the daemon: ${pin}`)
    const odd = [...ofCluster.filter(pin => !ofDaemon.includes(pin)).map(pin => `only the cluster: ${pin}`), ...leftBehind.slice(leftBehindMax)]
    if (odd.length > 0) throw new Error(odd.slice(0, 5).join('; '))
    const unheld = await Array.fromAsync(peer.cluster.statusAll(new Set(trackerStatuses.filter(status => status !== 'pinned')), { signal }))
    if (unheld.length > 0) throw new Error(unheld.slice(0, 3).map(({ cid, peers }) => `${cid.toString()} ${peers.map(({ status, error }) => `${status} ${error}`).join()}`).join('; '))
    return true
  }, { timeoutMs: settleMs, intervalMs: 100 }).catch((err: unknown) => { throw new Error(`${(err as Error).message}: ${String(((err as Error).cause as Error | undefined)?.message)}`, { cause: err }) })
}

/** What a caller has left that nobody has the content of is tracked to the end, which never comes. */
async function takeBackWhatIsLacking (peer: Peer): Promise<void> {
  for await (const { cid } of peer.cluster.statusAll(new Set(['pinning', 'pin_queued', 'pin_error']), { signal })) {
    const refs = await ask(peer.daemon, `refs?arg=${cid.toString()}&recursive=true&offline=true&timeout=2s`).catch((err: Error) => err.message)
    if (/"Err":"[^"]|could not find|deadline exceeded/.test(refs)) await ask(peer, `pin/rm?arg=${cid.toString()}`)
  }
}

async function daemonPins ({ daemon }: Peer, form: 'bare' | 'with modes' = 'bare'): Promise<readonly string[]> {
  const types = await Promise.all(['recursive', 'direct'].map(async type => {
    const { Keys = {} } = JSON.parse(await ask(daemon, `pin/ls?type=${type}`)) as { Keys?: Record<string, unknown> }
    return Object.keys(Keys).map(cid => form === 'bare' ? cid : `${type} ${cid}`)
  }))
  return types.flat()
}

async function ask ({ host, port }: { readonly host: string, readonly port: number }, path: string, body?: FormData): Promise<string> {
  const response = await fetch(`http://${host}:${port}/api/v0/${path}`, { method: 'POST', body: body ?? null, signal: AbortSignal.timeout(settleMs) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
  return text
}

/** What a caller has left may be on its way out by itself. */
function unlessLetGo (err: Error): void {
  if (!err.message.includes('not pinned or pinned indirectly')) throw err
}

function fileOf (text: string): FormData {
  const body = new FormData()
  body.append('file', new Blob([text]), 'file')
  return body
}

const hashOf = (lines: string): string => (JSON.parse(lines.trim().split('\n').at(-1)!) as { Hash: string }).Hash

/** What this process holds once everything that can be freed is. */
function bytesHeld (): number {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
