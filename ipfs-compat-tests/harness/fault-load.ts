/** Clients that change the pinset through all peers while something goes wrong, and what has to be true when it is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import { wideCar } from './cars.ts'
import type { TestPeer } from './cluster.ts'
import { addThrough } from './cluster-asking.ts'
import { eventually } from './eventually.ts'
import { inlineCidOf } from './pins.ts'
import { rpcLines, rpcResponse } from './rpc.ts'

/** What callers were told, by CID: it is pinned, or is not any more. What was asked for and not answered is in neither state. */
export type Told = Map<string, 'pinned' | 'unpinned'>

export interface Load {
  /** Resolves when so many more have been answered. */
  answered (more: number): Promise<void>
  /** Resolves when all have been answered or refused. */
  end (): Promise<void>
}

/** A peer that hangs is given up by its clients, though not by one that is only slow. */
const patienceMs = 180_000
const againMs = 50

/** Adds a file that one peer is to hold, whichever. @throws Error with the answer when it is none of success */
export async function addToOne ({ rest }: TestPeer, text: string): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([text]), 'file')
  const response = await fetch(`${rest}/add?replication=1&stream-channels=false&cid-version=1`, { method: 'POST', body: form, signal: AbortSignal.timeout(patienceMs) })
  const answer = await response.text()
  if (!response.ok) throw new Error(`${response.status} ${answer}`)
  return (JSON.parse(answer) as readonly { readonly cid: string }[])[0]!.cid
}

async function ask ({ proxy }: TestPeer, command: string): Promise<void> {
  const response = await rpcResponse(proxy, command, [], AbortSignal.timeout(patienceMs))
  const text = await response.text()
  if (!response.ok) throw new Error(text)
}

async function importCar ({ proxy }: TestPeer, name: string): Promise<string> {
  const { root, pieces } = wideCar(20, name)
  const response = await rpcResponse(proxy, 'dag/import', [{ name: 'car', content: Buffer.concat(pieces) }], AbortSignal.timeout(patienceMs))
  const text = await response.text()
  if (!response.ok || !text.includes('"PinErrorMsg":""')) throw new Error(text)
  return root
}

/** On each peer one client that pins, and now and then unpins, one that adds, one that imports, and one that adds to one peer alone; each CID is one client's. */
export function startLoad (peers: readonly TestPeer[], name: string, told: Told): Load {
  let isOver = false
  let count = 0
  const tell = (cid: string, state: 'pinned' | 'unpinned'): void => {
    told.set(cid, state)
    count++
  }
  const kinds: readonly ((peer: TestPeer, text: string, i: number) => Promise<void>)[] = [
    async (peer, text, i) => {
      const cid = inlineCidOf(text).toString()
      await ask(peer, `pin/add?arg=${cid}`)
      tell(cid, 'pinned')
      if (i % 5 !== 4) return
      told.delete(cid)
      await ask(peer, `pin/rm?arg=${cid}`)
      tell(cid, 'unpinned')
    },
    async (peer, text) => { tell(await addThrough(peer, text, AbortSignal.timeout(patienceMs)), 'pinned') },
    async (peer, text) => { tell(await importCar(peer, text), 'pinned') },
    async (peer, text) => { tell(await addToOne(peer, text), 'pinned') }
  ]
  const client = async (peer: TestPeer, kind: number): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      try {
        await kinds[kind]!(peer, `${name}, kind ${kind} of ${peers.indexOf(peer)}, ${i}`, i)
      } catch {
        await sleep(againMs) // it is not there, or refuses; what it was asked for nobody was told
      }
    }
  }
  const clients = Promise.all(peers.flatMap(peer => kinds.map(async (_kind, at) => { await client(peer, at) })))
  return {
    async answered (more) {
      const enough = count + more
      await eventually(`${more} more answers`, () => count >= enough, { timeoutMs: 600_000 })
    },
    async end () {
      isOver = true
      await clients
    }
  }
}

interface Entry { readonly cid: string, readonly allocations: readonly string[] | null }

/** What contradicts what callers were told, in any pinset and on any daemon. Empty when all is well. */
export async function contradictions (peers: readonly TestPeer[], told: Told): Promise<readonly string[]> {
  const wrong: string[] = []
  const pinsets = await Promise.all(peers.map(async ({ rest }) => {
    const lines = (await (await fetch(`${rest}/allocations`)).text()).split('\n').filter(line => line !== '')
    return lines.map(line => JSON.parse(line) as Entry)
  }))
  const held = await Promise.all(peers.map(async ({ daemon }) => (await rpcLines<{ readonly Cid: string }>(daemon, 'pin/ls?type=recursive&stream=true')).map(({ Cid }) => Cid)))
  const text = (pinset: readonly Entry[]): string => pinset.map(({ cid, allocations }) => `${cid} ${(allocations ?? []).toSorted().join()}`).sort().join('\n')

  for (const [at, pinset] of pinsets.entries()) {
    if (text(pinset) !== text(pinsets[0]!)) wrong.push(`the pinsets of peer 0 (${pinsets[0]!.length}) and peer ${at} (${pinset.length}) differ`)
    if (new Set(pinset.map(({ cid }) => cid)).size < pinset.length) wrong.push(`a pin is twice in the pinset of peer ${at}`)
    if (new Set(held[at]).size < held[at]!.length) wrong.push(`a pin is twice on the daemon of peer ${at}`)
  }
  const byCid = new Map(pinsets[0]!.map(entry => [entry.cid, entry]))
  const onDaemon = held.map(cids => new Set(cids))
  for (const [cid, state] of told) {
    const entry = byCid.get(cid)
    if ((entry !== undefined) !== (state === 'pinned')) wrong.push(`${cid} was ${state}`)
    const isToHold = (peer: TestPeer): boolean => entry !== undefined && ((entry.allocations ?? []).length === 0 || entry.allocations!.includes(peer.id))
    for (const [at, peer] of peers.entries()) if (isToHold(peer) !== onDaemon[at]!.has(cid)) wrong.push(`${cid} was ${state}, and the daemon of peer ${at} ${isToHold(peer) ? 'lacks' : 'keeps'} it`)
  }
  return wrong
}
