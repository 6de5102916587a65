import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmbeddedProcess } from '../ipfs-compat-tests/harness/embedded-process.ts'
import { startDaemon } from '../ipfs-compat-tests/harness/kubo.ts'
import { call, callJson } from './call.ts'
import { carBody, carOf, fileBody, filesBody, mib, randomBytes } from './content.ts'
import { compare, secondsOf, sideOf, told } from './harness.ts'
import type { Contest, Side } from './harness.ts'
import { runLoad } from './load.ts'

const roundsUsually = 5
const pins = 256
const run = promisify(execFile)
const atLeastHalf = { goals: { bare: { atLeast: 0.5 } } }

/**
 * The embedded daemon on disk, in a process of its own, beside a real Kubo: `IPFS_BIN` has to name one. "Peer" in the tables is the embedded
 * daemon. With a number behind its name there are so many rounds: `npm run bench -- embedded 2`.
 */
export async function bench ([asked = String(roundsUsually)]: readonly string[]): Promise<void> {
  if (!/^[1-9]\d?$/.test(asked)) throw new Error(`rounds: a number from 1 to 99, not ${asked}`)
  await using undo = new AsyncDisposableStack()
  const kubo = undo.use(await startDaemon({}, 'kubo'))
  const folder = undo.adopt(await mkdtemp(join(tmpdir(), 'ipfs-quorum-bench-')), path => rm(path, { recursive: true, force: true }))
  const embedded = undo.use(await startEmbeddedProcess(folder))
  const sides = {
    sides: told(`Kubo ${kubo.values.VERSION} bare, and the embedded daemon as peer`),
    among: [sideOf('bare', kubo), sideOf('peer', embedded)],
    rounds: Number(asked)
  }

  await adds(sides)
  await imports(sides)
  await cats(sides)
  await pinAdds(sides)
}

interface Both extends Contest { readonly rounds: number }

/** Else what one side has left in the system's cache is written at the other's expense: who waits for its own writes waits for those, too. */
async function nothingLeftToWrite (): Promise<void> {
  await run('sync')
}

async function adds (sides: Both): Promise<void> {
  const large = 256 * mib
  const files = 5_000
  await compare(sides, {
    title: 'add of 256 MiB',
    rounds: sides.rounds,
    measured: { rate: { unit: 'MB/s', ...atLeastHalf } },
    round: async side => {
      const body = fileBody(randomBytes(large))
      await nothingLeftToWrite()
      return { rate: large / await secondsOf(() => call(side, 'add', body)) / 1e6 }
    }
  })
  await compare(sides, {
    title: 'add of 5,000 files of 1 KiB',
    rounds: sides.rounds,
    measured: { rate: { unit: 'files/s', ...atLeastHalf } },
    round: async side => {
      const body = filesBody(Array.from({ length: files }, () => randomBytes(1_024)))
      await nothingLeftToWrite()
      return { rate: files / await secondsOf(() => call(side, 'add', body)) }
    }
  })
}

async function imports (sides: Both): Promise<void> {
  for (const [title, count, blockBytes] of [['10,000 blocks of 460 B', 10_000, 460], ['256 MiB in blocks of 256 KiB', 1_024, mib / 4]] as const) {
    await compare(sides, {
      title: `dag/import of ${title}`,
      rounds: sides.rounds,
      measured: { blocks: { unit: '1/s', ...atLeastHalf }, rate: { unit: 'MB/s' } },
      round: async side => {
        const car = carOf(count, blockBytes)
        await nothingLeftToWrite()
        const seconds = await secondsOf(() => call(side, 'dag/import?pin-roots=true', carBody(car)))
        return { blocks: count / seconds, rate: car.bytes.byteLength / seconds / 1e6 }
      }
    })
  }
}

async function cats (sides: Both): Promise<void> {
  const size = 128 * mib
  const content = randomBytes(size)
  const hashes = new Map<Side, string>()
  for (const side of sides.among) hashes.set(side, (await callJson(side, 'add?quieter=true', fileBody(content)))[0].Hash)
  await compare(sides, {
    title: 'cat of 128 MiB',
    rounds: sides.rounds,
    measured: { rate: { unit: 'MB/s', ...atLeastHalf } },
    round: async side => ({ rate: size / await secondsOf(() => call(side, `cat?arg=${hashes.get(side)}`)) / 1e6 })
  })
}

async function pinAdds (sides: Both): Promise<void> {
  for (const connections of [1, 32]) {
    await compare(sides, {
      title: `pin/add of ${pins} CIDs, ${connections === 1 ? 'one by one' : `${connections} at once`}`,
      rounds: sides.rounds,
      measured: { rate: { unit: 'pins/s', ...atLeastHalf }, p50: { unit: 'ms' }, p99: { unit: 'ms' } },
      round: async side => {
        const lines = await callJson(side, 'add?pin=false&raw-leaves=true&cid-version=1', filesBody(Array.from({ length: pins }, () => randomBytes(100))))
        const cids = lines.filter(({ Name }) => Name.includes('/')).map(({ Hash }) => Hash as string)
        const { perSecond, p50Ms, p99Ms } = await runLoad(side, { connections, path: number => cids[number] && `/api/v0/pin/add?arg=${cids[number]}` })
        return { rate: perSecond, p50: p50Ms, p99: p99Ms }
      }
    })
  }
}
