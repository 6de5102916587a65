/** A peer that pins and unpins as fast as it can and says what was acknowledged, until it is killed. Arguments: folder, the daemon's multiaddr, a prefix for its pins. */
import { writeSync } from 'node:fs'
import { defaultPinOptions } from '../../cluster/api/pin.ts'
import { inlineCidOf } from './pins.ts'
import { peerOn } from './small-peer.ts'

const atOnce = 16
const [folder, multiaddr, prefix] = process.argv.slice(2) as [string, string, string]
const { signal } = new AbortController()
const { cluster } = await peerOn(folder, multiaddr)

let next = 0
await Promise.all(Array.from({ length: atOnce }, async () => {
  for (;;) {
    const number = next++
    const seed = `${prefix}-${number}`
    await cluster.pin(inlineCidOf(seed), { ...defaultPinOptions, name: seed }, { signal, wait: 'min' })
    if (number % 3 === 0) await cluster.unpin(inlineCidOf(seed), { signal })
    writeSync(1, `${number % 3 === 0 ? '-' : '+'}${seed}\n`)
  }
}))
