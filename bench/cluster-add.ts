import { callJson } from './call.ts'
import { startClusterContest } from './cluster/contest.ts'
import type { ClusterContest, ClusterSide } from './cluster/contest.ts'
import { forget, importEverywhere } from './cluster/imports.ts'
import { cpuMeasured, spentOn } from './cluster/spent.ts'
import { carOf, fileBody, filesBody, mib, randomBytes } from './content.ts'
import { compare } from './harness.ts'

const largeBytes = 256 * mib
const blockBytes = mib / 4
const fileCount = 5_000
const fileBytes = 1_024

/** Uploads through the proxy of a cluster whose pins go everywhere. The limit is a CAR of as many bytes, sent to all daemons at once. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await startClusterContest(args, 3)
  await smallFiles(contest)
  await largeFile(contest)
}

async function smallFiles (contest: ClusterContest): Promise<void> {
  await compare(contest, {
    title: `add of ${fileCount.toLocaleString('en')} files of 1 KiB in one directory, to all daemons`,
    rounds: contest.rounds,
    measured: { rate: { unit: 'files/s', goals: { bare: { atLeast: 1 }, limit: { atLeast: 4_900 / 9_400 } } }, ...cpuMeasured() },
    round: async side => {
      const { seconds, cpu } = side.name === 'limit'
        ? await importEverywhere(side, carOf(fileCount, fileBytes))
        : await added(side, () => filesBody(Array.from({ length: fileCount }, () => randomBytes(fileBytes))))
      return { rate: fileCount / seconds, ...cpu }
    }
  })
}

async function largeFile (contest: ClusterContest): Promise<void> {
  await compare(contest, {
    title: 'add of 256 MiB, to all daemons',
    rounds: contest.rounds,
    measured: { rate: { unit: 'MB/s', goals: { bare: { atLeast: 52 / 290 }, limit: { atLeast: 52 / 112 } } }, ...cpuMeasured({ asked: { atMost: 3 }, other: { atMost: 0.9 } }) },
    round: async side => {
      const { seconds, cpu, root } = side.name === 'limit'
        ? await importEverywhere(side, carOf(largeBytes / blockBytes, blockBytes))
        : await added(side, () => fileBody(randomBytes(largeBytes)))
      await forget(side, root)
      return { rate: largeBytes / seconds / 1e6, ...cpu }
    }
  })
}

async function added (side: ClusterSide, bodyOf: () => ReturnType<typeof fileBody>): Promise<Awaited<ReturnType<typeof importEverywhere>>> {
  const body = bodyOf()
  let root = ''
  const spent = await spentOn(side.processes, async () => { root = (await callJson(side, 'add', body)).at(-1).Hash })
  return { ...spent, root }
}
