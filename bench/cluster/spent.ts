import { secondsOf } from '../harness.ts'
import { cpuSecondsOf } from '../process-figures.ts'
import type { Goal, Measured } from '../report.ts'

/** What of a side runs in processes that can be looked at. Without a real Kubo the daemon is a part of its peer. */
export interface Processes {
  /** The peer that the client talks with. */
  readonly asked?: number
  readonly others: readonly number[]
  readonly daemons: readonly number[]
}

/** Seconds that `work` took, and the processor time meanwhile, in seconds. */
export interface Spent { readonly seconds: number, readonly cpu: Readonly<Record<string, number>> }

export async function spentOn ({ asked, others, daemons }: Processes, work: () => Promise<unknown>): Promise<Spent> {
  const look = async (): Promise<readonly number[][]> => await Promise.all([asked === undefined ? [] : [asked], others, daemons].map(async pids => await Promise.all(pids.map(cpuSecondsOf))))
  const before = await look()
  const seconds = await secondsOf(work)
  const after = await look()
  const [own, rest, all] = after.map((pids, i) => pids.map((spent, j) => spent - before[i]![j]!)) as [number[], number[], number[]]
  return {
    seconds,
    cpu: {
      ...own.length > 0 && { [askedCpu]: own[0]! },
      ...rest.length > 0 && { [otherCpu]: Math.max(...rest) },
      ...all.length > 0 && { [daemonsCpu]: all.reduce((sum, spent) => sum + spent) }
    }
  }
}

const askedCpu = 'CPU of the asked peer'
const otherCpu = 'CPU of the busiest other peer'
const daemonsCpu = 'CPU of all daemons'

/** The rows of a table that `Spent.cpu` fills. */
export function cpuMeasured (goals: { readonly asked?: Goal, readonly other?: Goal } = {}): Readonly<Record<string, Measured>> {
  const row = (goal: Goal | undefined): Measured => ({ unit: 's', ...goal !== undefined && { goals: { itself: goal } } })
  return { [askedCpu]: row(goals.asked), [otherCpu]: row(goals.other), [daemonsCpu]: { unit: 's' } }
}
