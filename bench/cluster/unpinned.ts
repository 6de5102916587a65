import { setTimeout } from 'node:timers/promises'
import type { RpcTarget } from '../../ipfs-compat-tests/harness/rpc.ts'
import { call, callJson } from '../call.ts'
import { filesBody, randomBytes } from '../content.ts'

const fileBytes = 100
const lotMax = 2_000

/** CIDs of so much new, small content that each of the daemons has and none has pinned. */
export async function unpinnedAt (daemons: readonly RpcTarget[], count: number): Promise<readonly string[]> {
  const cids: string[] = []
  while (cids.length < count) {
    const files = Array.from({ length: Math.min(lotMax, count - cids.length) }, () => randomBytes(fileBytes))
    const [lines = []] = await Promise.all(daemons.map(async daemon => await callJson(daemon, 'add?pin=false&raw-leaves=true&cid-version=1', filesBody(files))))
    cids.push(...lines.filter(({ Name }) => Name.includes('/')).map(({ Hash }) => Hash as string))
  }
  return cids
}

const lookedAtOnce = 50
const lookEveryMs = 10

/** Waits until each of the daemons has all of them pinned. @throws Error when that takes longer than `patienceMs` */
export async function untilHeld (daemons: readonly RpcTarget[], cids: readonly string[], patienceMs: number): Promise<void> {
  const deadlineMs = performance.now() + patienceMs
  await Promise.all(daemons.map(async daemon => {
    for (let at = 0; at < cids.length;) {
      const looked = cids.slice(at, at + lookedAtOnce)
      if (await areHeld(daemon, looked)) at += lookedAtOnce
      else if (performance.now() > deadlineMs) throw new Error(`${daemon.host}:${daemon.port} has not pinned ${cids.length} CIDs within ${patienceMs} ms`)
      else await setTimeout(lookEveryMs)
    }
  }))
}

async function areHeld (daemon: RpcTarget, cids: readonly string[]): Promise<boolean> {
  return await call(daemon, `pin/ls?type=recursive&${cids.map(cid => `arg=${cid}`).join('&')}`).then(() => true, () => false)
}
