import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { pinToJson } from '../../cluster/api/pin-json.ts'

const rawCodec = 0x55
const sha256Code = 0x12
const chunkCharacters = 1 << 20
/** Of so many pins the daemons refuse one, see `null-daemons.ts`. */
const refusedEvery = 10_000

/** A CID of no content at all; the same for the same number. */
export function cidOf (number: number): CID {
  return CID.createV1(rawCodec, createDigest(sha256Code, hash('sha256', `pin ${number}`, 'buffer')))
}

const isRefused = (number: number): boolean => number % refusedEvery === refusedEvery - 1

/** How many of `count` pins the daemons take. */
export function takenOf (count: number): number {
  return count - Math.floor(count / refusedEvery)
}

/** Writes `count` pins that go everywhere, as `ipfs-cluster-service state export` writes them. */
export async function writePins (path: string, count: number): Promise<void> {
  const file = createWriteStream(path)
  let text = ''
  const flush = async (): Promise<void> => {
    if (!file.write(text)) await once(file, 'drain')
    text = ''
  }
  for (let number = 0; number < count; number++) {
    const pin = {
      cid: cidOf(number), name: isRefused(number) ? 'refused' : `photo-${number}.jpg`, mode: 'recursive', replication: 'everywhere', allocations: [],
      expireAtMs: undefined, metadata: {}, pinUpdate: undefined, origins: [], timestampMs: Date.now()
    } as const
    text += `${JSON.stringify(pinToJson(pin))}\n`
    if (text.length >= chunkCharacters) await flush()
  }
  await flush()
  await finished(file.end())
}
