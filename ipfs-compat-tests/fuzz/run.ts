import { send } from './send.ts'
import { startTarget } from './target.ts'
import type { Target } from './target.ts'
import { trialOf } from './trial.ts'
import type { Trial } from './trial.ts'

const perRound = 150
/** Rounds in which caches fill and code is compiled; growth is counted from there. */
const warmUpRounds = 2
const growthBytesMax = 48 << 20

export interface FuzzOptions {
  readonly seed: number
  readonly seconds: number
  /** The first trial, to go on from one that was found. */
  readonly from?: number
  /** Clients that send at the same time. With one a seed repeats to the letter; several also find what depends on who comes first. */
  readonly atOnce?: number
  readonly tell?: (line: string) => void
}

export interface FuzzResult {
  readonly trials: number
  readonly answered: number
  readonly findings: readonly string[]
  /** Bytes held after the last round more than after warming up. */
  readonly growthBytes: number
}

/**
 * Sends random and damaged requests to a peer, and after each round asks whether it and its daemon are well, agree, and hold no more than before. Ends
 * with the round in which something was found.
 */
export async function fuzz ({ seed, seconds, from = 0, atOnce = 4, tell = () => {} }: FuzzOptions): Promise<FuzzResult> {
  await using target = await startTarget()
  const findings: string[] = []
  using _crashes = watchCrashes(findings)
  const untilMs = performance.now() + seconds * 1_000
  const held: number[] = []
  let [next, answered] = [from, 0]

  while (performance.now() < untilMs && findings.length === 0) {
    const end = next + perRound
    const worker = async (): Promise<void> => {
      while (next < end) {
        const number = next++
        const trial = trialOf(seed, number, target.cids)
        if (await judged(trial, number, target, findings)) answered++
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    await target.assertWell().catch((err: unknown) => findings.push(`after trials ${end - perRound} to ${end}: ${(err as Error).message}`))
    held.push(await target.reset().catch((err: unknown) => { findings.push(`cannot be emptied after trials ${end - perRound} to ${end}: ${(err as Error).message}`); return 0 }))
    tell(`${next - from} trials, ${answered} answered, ${Math.round(held.at(-1)! / 2 ** 20)} MiB held`)
  }
  const growthBytes = held.length > warmUpRounds ? held.at(-1)! - held[warmUpRounds - 1]! : 0
  if (growthBytes > growthBytesMax && findings.length === 0) findings.push(`${Math.round(growthBytes / 2 ** 20)} MiB more are held than after ${warmUpRounds} rounds`)
  return { trials: next - from, answered, findings, growthBytes }
}

/** @returns whether it was answered */
async function judged (trial: Trial, number: number, target: Target, findings: string[]): Promise<boolean> {
  const outcome = await send(trial, target)
  const isWrong = outcome.kind === 'hangs' || outcome.kind === 'nonsense' || (outcome.kind === 'closed' && trial.leaves === 'waits')
  if (isWrong) findings.push(`trial ${number} (${trial.what}) ${outcome.kind}${outcome.kind === 'nonsense' ? `: ${outcome.why}` : ''}\n${Buffer.concat(trial.pieces).subarray(0, 2_000).toString('latin1')}`)
  return outcome.kind === 'answered'
}

/** Whatever nobody catches would have ended the peer; listeners that pile up on something are a leak. */
function watchCrashes (findings: string[]): Disposable {
  const onCrash = (err: unknown): void => { findings.push(`nobody caught: ${err instanceof Error ? err.stack : String(err)}`) }
  const onWarning = ({ name, stack }: Error): void => { if (name === 'MaxListenersExceededWarning') findings.push(`listeners pile up: ${stack}`) }
  process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash).on('warning', onWarning)
  return { [Symbol.dispose] () { process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash).off('warning', onWarning) } }
}
