import { callJson } from './call.ts'
import { amongOnly, startClusterContest } from './cluster/contest.ts'
import type { ClusterSide } from './cluster/contest.ts'
import { forget } from './cluster/imports.ts'
import { endlessFileBody, mib } from './content.ts'
import { compare, secondsOf } from './harness.ts'
import { memoryOf, watchMemory } from './process-figures.ts'
import { median } from './report.ts'

const uploads = 64
const uploadsWhileWarmingUp = 8
const uploadBytes = 16 * mib

/** Many uploads at once through one peer's proxy, to all daemons: whether memory stays, and whether any of them has to wait for all others. */
export async function bench (args: readonly string[]): Promise<void> {
  await using contest = await startClusterContest(args, 2)
  const peers = contest.cluster.peers.map(({ process }) => ({ memory: async () => await memoryOf(process.child.pid!) }))
  await compare(amongOnly(contest, 'bare', 'against', 'peer'), {
    title: `${uploads} uploads of 16 MiB at once, to all daemons`,
    rounds: contest.rounds,
    measured: {
      rate: { unit: 'MB/s' },
      'slowest upload ÷ median': { unit: '×', goals: { itself: { atMost: 2 } } },
      'resident in the largest peer': { unit: 'MiB', goals: { itself: { atMost: 350 } } }
    },
    round: async (side, number) => {
      const count = number < 0 ? uploadsWhileWarmingUp : uploads
      using memory = watchMemory(peers)
      const uploaded: Uploaded[] = []
      const seconds = await secondsOf(async () => { uploaded.push(...await Promise.all(Array.from({ length: count }, async () => await upload(side)))) })
      const most = memory.most().all
      await forget(side, ...uploaded.map(({ root }) => root))
      const times = uploaded.map(({ seconds }) => seconds)
      return { rate: count * uploadBytes / seconds / 1e6, 'slowest upload ÷ median': Math.max(...times) / median(times), ...side.name === 'peer' && { 'resident in the largest peer': most } }
    }
  })
}

interface Uploaded { readonly root: string, readonly seconds: number }

async function upload (side: ClusterSide): Promise<Uploaded> {
  let root = ''
  const seconds = await secondsOf(async () => { root = (await callJson(side, 'add?quieter=true', endlessFileBody(uploadBytes))).at(-1).Hash })
  return { root, seconds }
}
