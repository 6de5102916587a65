import type { Values } from '../harness/recordings/request-bytes.ts'
import { rpc, rpcLines, rpcResponse } from '../harness/rpc.ts'
import type { RpcTarget } from '../harness/rpc.ts'
import { pinnedBefore, putContent, putFiles } from './content.ts'
import type { Side } from './sides.ts'

/** What a side holds. Both sides must hold the same after the same requests. */
export interface State {
  /** As whoever asks the side is told, direct and recursive. */
  readonly pins: readonly string[]
  /** As its daemon has them. */
  readonly daemonPins: readonly string[]
  readonly blocks: readonly string[]
  /** The root of its files. */
  readonly files: string
}

export async function stateOf (side: Side): Promise<State> {
  const [pins, daemonPins, refs, files] = await Promise.all([pinsOf(side), pinsOf(side.daemon), rpcLines<{ readonly Ref: string }>(side.daemon, 'refs/local'), rpc(side.daemon, 'files/stat?arg=/&hash=true')])
  return { pins, daemonPins, blocks: refs.map(({ Ref }) => Ref).sort(), files: (JSON.parse(files) as { readonly Hash: string }).Hash }
}

async function pinsOf (target: RpcTarget): Promise<readonly string[]> {
  const [recursive, direct] = await Promise.all([rpc(target, 'pin/ls?type=recursive&names=true&stream=true'), rpc(target, 'pin/ls?type=direct&names=true&stream=true')])
  return `${recursive}${direct}`.split('\n').filter(line => line !== '').sort()
}

/** What a trial begins with: the content, and the way back to it. */
export interface Prepared {
  readonly values: Values
  /** Undoes what was done since. @returns false when that did not succeed, so that the side is of no more use */
  restore (now: State): Promise<boolean>
}

export async function prepare (side: Side): Promise<Prepared> {
  const values = await putContent(side.daemon)
  await putFiles(side.daemon, values)
  await pinMissing(side, values, '')
  const before = await stateOf(side)
  const bytes = new Map(await Promise.all(before.blocks.map(async cid => [cid, await blockBytes(side.daemon, cid)] as const)))
  return {
    values,
    async restore (now) {
      if (isSame(now, before)) return true
      try {
        await unpinOthers(side, now, before)
        if (now.files !== before.files) await emptyFiles(side.daemon)
        await putBlocks(side.daemon, before.blocks.filter(cid => !now.blocks.includes(cid)).map(cid => bytes.get(cid)!))
        if (now.files !== before.files) await putFiles(side.daemon, values)
        const { blocks } = await stateOf(side)
        await removeBlocks(side.daemon, blocks.filter(cid => !bytes.has(cid)))
        await pinMissing(side, values, (await stateOf(side)).pins.join('\n'))
        return isSame(await stateOf(side), before)
      } catch {
        return false
      }
    }
  }
}

export const isSame = (a: State, b: State): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The empty directory is pinned by the daemon itself, from its first start on. */
async function pinMissing (side: Side, values: Values, pins: string): Promise<void> {
  for (const { cid, query } of pinnedBefore) if (!pins.includes(values[cid]!)) await rpc(side, `pin/add?arg=${values[cid]}&${query}`)
  if (!pins.includes(emptyDirectory)) await rpc(side.daemon, `pin/add?arg=${emptyDirectory}`)
}

async function unpinOthers (side: Side, now: State, before: State): Promise<void> {
  const strange = now.pins.filter(line => !before.pins.includes(line))
  for (const line of strange) await rpc(side, `pin/rm?arg=${cidOf(line)}`)
  for (const line of now.daemonPins.filter(line => !before.daemonPins.includes(line) && !strange.some(pin => cidOf(pin) === cidOf(line)))) await rpc(side.daemon, `pin/rm?arg=${cidOf(line)}`)
}

const cidOf = (line: string): string => (JSON.parse(line) as { readonly Cid: string }).Cid
const emptyDirectory = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'

async function emptyFiles (daemon: RpcTarget): Promise<void> {
  const { Entries } = JSON.parse(await rpc(daemon, 'files/ls?arg=/')) as { readonly Entries: readonly { readonly Name: string }[] | null }
  for (const { Name } of Entries ?? []) await rpc(daemon, `files/rm?arg=${encodeURIComponent(`/${Name}`)}&recursive=true`)
}

async function blockBytes (daemon: RpcTarget, cid: string): Promise<Uint8Array> {
  return new Uint8Array(await (await rpcResponse(daemon, `block/get?arg=${cid}`)).arrayBuffer())
}

async function putBlocks (daemon: RpcTarget, blocks: readonly Uint8Array[]): Promise<void> {
  if (blocks.length > 0) await rpc(daemon, 'block/put', blocks.map((content, i) => ({ name: `${i}`, content })))
}

async function removeBlocks (daemon: RpcTarget, cids: readonly string[]): Promise<void> {
  if (cids.length > 0) await rpc(daemon, `block/rm?force=true&${cids.map(cid => `arg=${cid}`).join('&')}`)
}
