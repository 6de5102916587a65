/**
 * What a peer and a cluster cost as something grows. Each part takes minutes, some hours: they are run by hand, and drawn by `npm run bench -- plots`.
 *
 *     npm run bench -- growth pins [1000,10000,100000,1000000]     see `scale`
 *     npm run bench -- growth uploads [1,10,50]                    GiB, to three daemons that drop what they get
 *     npm run bench -- growth peers [1,3,5,9]
 *     npm run bench -- growth connections [1,8,64,512]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { growConnections } from './connections.ts'
import { growPeers } from './peers.ts'
import { growUploads } from './uploads.ts'

const usage = 'usage: npm run bench -- growth pins|uploads|peers|connections [SIZE,SIZE]'
const run = fileURLToPath(new URL('../run.ts', import.meta.url))

interface Part { readonly usually: readonly number[], readonly measure: (sizes: readonly number[]) => Promise<void> }

const parts: Readonly<Record<string, Part>> = {
  pins: { usually: [1_000, 10_000, 100_000, 1_000_000], measure: growPins },
  uploads: { usually: [1, 10, 50], measure: growUploads },
  peers: { usually: [1, 3, 5, 9], measure: growPeers },
  connections: { usually: [1, 8, 64, 512], measure: growConnections }
}

export async function bench ([name = '', written, ...more]: readonly string[]): Promise<void> {
  const part = parts[name]
  const sizes = written === undefined ? part?.usually : written.split(',').map(Number)
  if (part === undefined || sizes === undefined || more.length > 0 || sizes.some(size => !(size > 0))) throw new TypeError(usage)
  await part.measure(sizes)
}

/** Each in processes of its own, as `scale` is run alone. @throws Error when one does not come to its end */
async function growPins (sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    const child = spawn(process.execPath, [run, 'scale', '--pins', String(size)], { stdio: 'inherit' })
    const [code] = await once(child, 'close') as [number | null]
    if (code !== 0) throw new Error(`scale --pins ${size} ended with ${code}`)
  }
}
