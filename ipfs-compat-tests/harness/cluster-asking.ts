/** What tests ask of peers and of their daemons. */
import { wideCar } from './cars.ts'
import type { TestPeer } from './cluster.ts'
import { eventually } from './eventually.ts'
import { rpcLines, rpcResponse } from './rpc.ts'

export interface Standing { readonly status: string, readonly error: string }
/** Of a pin, on each peer. */
export interface Status { readonly peer_map: Readonly<Record<string, Standing>> }

/** @returns the CID */
export async function addThrough ({ proxy }: TestPeer, content: string | Uint8Array, signal?: AbortSignal): Promise<string> {
  const response = await rpcResponse(proxy, 'add?cid-version=1', [{ name: 'file', content }], signal)
  const text = await response.text()
  if (!response.ok) throw new Error(`add: ${response.status} ${text}`)
  return (JSON.parse(text) as { Hash: string }).Hash
}

/** @returns the root's CID */
export async function importThrough ({ proxy }: TestPeer, content: string): Promise<string> {
  const { root, pieces } = wideCar(1_100, content)
  const lines = await rpcLines<{ Root?: { Cid: { '/': string }, PinErrorMsg: string } }>(proxy, 'dag/import', [{ name: 'car', content: Buffer.concat(pieces) }])
  const problem = lines.find(({ Root }) => Root !== undefined && Root.PinErrorMsg !== '')
  if (problem !== undefined || lines.length === 0) throw new Error(`dag/import: ${JSON.stringify(lines)}`)
  return root
}

/** Those whose daemons have it pinned themselves. */
export async function heldBy (peers: readonly TestPeer[], cid: string): Promise<readonly TestPeer[]> {
  const answers = await Promise.all(peers.map(async ({ daemon }) => (await rpcResponse(daemon, `pin/ls?arg=${cid}&type=recursive`)).ok))
  return peers.filter((_peer, i) => answers[i])
}

/** The pinset, as that peer has it. */
export async function allocationsOf ({ rest }: TestPeer): Promise<ReadonlySet<string>> {
  return new Set((await linesAt(`${rest}/allocations`)).map(({ cid }) => cid))
}

/** What that peer says of a pin on all peers. */
export async function statusOf ({ rest }: TestPeer, cid: string): Promise<Status> {
  return await (await fetch(`${rest}/pins/${cid}`)).json() as Status
}

async function linesAt (url: string): Promise<readonly { readonly cid: string }[]> {
  const text = await (await fetch(url)).text()
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as { cid: string })
}

/** The peerset, as that peer has it. */
export async function membersOf ({ rest }: TestPeer): Promise<readonly string[]> {
  return (await (await fetch(`${rest}/id`)).json() as { cluster_peers: string[] }).cluster_peers
}

/** Waits until each of `peers` knows these as the members: who was asked for a change knows first, the others soon. */
export async function agreeOnMembers (peers: readonly TestPeer[], ids: readonly string[]): Promise<boolean> {
  const wanted = [...ids].sort().join(' ')
  return await eventually(`each knows the members ${wanted}`, async () => (await Promise.all(peers.map(membersOf))).every(members => [...members].sort().join(' ') === wanted))
}

/** Has a peer taken out of the cluster. Where nobody led for long it is asked for again, and may have happened meanwhile. */
export async function takeOut (asked: TestPeer, id: string): Promise<boolean> {
  return await eventually(`${id} is taken out`, async () => (await fetch(`${asked.rest}/peers/${id}`, { method: 'DELETE' })).status === 204 || !(await membersOf(asked)).includes(id))
}

/** Waits until `asked` says that each of `holders` has the pin: a daemon holds it a moment before its peer knows. */
export async function pinnedOn (asked: TestPeer, cid: string, holders: readonly TestPeer[]): Promise<boolean> {
  return await eventually(`${cid} is pinned on ${holders.length} peers`, async () => {
    const { peer_map: peerMap } = await statusOf(asked, cid)
    return holders.every(({ id }) => peerMap[id]?.status === 'pinned')
  })
}

/** Waits until `peer` can give pins to each of `others`: it has heard that they are there, and what room they have. */
export async function canChoose (peer: TestPeer, others: readonly TestPeer[]): Promise<boolean> {
  return await eventually('all are heard of', async () => {
    const metrics = await Promise.all(['ping', 'freespace'].map(async name => await (await fetch(`${peer.rest}/monitor/metrics/${name}`)).json() as readonly { readonly peer: string, readonly valid: boolean }[]))
    return metrics.every(heard => others.every(({ id }) => heard.some(({ peer, valid }) => peer === id && valid)))
  })
}

/** Those that the peer's daemon does not hold. */
export async function missingAt (peer: TestPeer, cids: readonly string[]): Promise<readonly string[]> {
  const missing: string[] = []
  for (const cid of cids) if ((await heldBy([peer], cid)).length === 0) missing.push(cid)
  return missing
}

/** Asks one after another until it is ended, then tells what was answered. @throws what went wrong first */
export function asking (ask: (number: number) => Promise<string>): { end (): Promise<readonly string[]> } {
  const answered: string[] = []
  let isOver = false
  const done = (async () => { for (let i = 0; !isOver; i++) answered.push(await ask(i)) })()
  done.catch(() => {}) // told at the end
  return {
    async end () {
      isOver = true
      await done
      return answered
    }
  }
}
