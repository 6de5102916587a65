/** What tests ask of peers and of their daemons. */
import { wideCar } from './cars.ts'
import type { TestPeer } from './cluster.ts'
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
