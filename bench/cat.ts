import { call, callJson } from './call.ts'
import { fileBody, mib, randomBytes } from './content.ts'
import { compare, secondsOf, startSides } from './harness.ts'

const size = 128 * mib

/** A large answer that the proxy only carries. */
export async function bench (): Promise<void> {
  await using sides = await startSides()
  const [{ Hash }] = await callJson(sides.bare, 'add?quieter=true', fileBody(randomBytes(size)))
  await compare(sides, {
    title: 'cat of 128 MiB',
    rounds: 15,
    measured: { rate: { unit: 'MB/s', goal: { atLeast: 0.9 } } },
    round: async side => {
      let bytes = 0
      const seconds = await secondsOf(() => call(side, `cat?arg=${Hash}`, undefined, chunk => { bytes += chunk.byteLength }))
      if (bytes !== size) throw new Error(`${side.name}: ${bytes} bytes came`)
      return { rate: size / seconds / 1e6 }
    }
  })
}
