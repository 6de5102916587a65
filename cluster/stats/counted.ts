import type { Block, IpfsConnector } from '../ports.ts'

/** What this peer has asked of its daemon since it started. */
export interface Counts { pins: number, failedPins: number, imports: number, failedImports: number, blocks: number, blockBytes: number }

/** The same connector; what goes through it is counted. */
export function counted (ipfs: IpfsConnector): { readonly ipfs: IpfsConnector, readonly counts: Readonly<Counts> } {
  const counts: Counts = { pins: 0, failedPins: 0, imports: 0, failedImports: 0, blocks: 0, blockBytes: 0 }

  async function * watched (blocks: AsyncIterable<Block>): AsyncGenerator<Block> {
    for await (const block of blocks) {
      counts.blocks++
      counts.blockBytes += block.bytes.byteLength
      yield block
    }
  }

  return {
    counts,
    ipfs: {
      ...ipfs,
      async pin (pin, call) {
        counts.pins++
        try {
          await ipfs.pin(pin, call)
        } catch (err) {
          counts.failedPins++
          throw err
        }
      },
      async importBlocks (blocks, roots, call) {
        counts.imports++
        try {
          return await ipfs.importBlocks(watched(blocks), roots, call)
        } catch (err) {
          counts.failedImports++
          throw err
        }
      }
    }
  }
}
