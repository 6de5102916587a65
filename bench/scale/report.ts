import type { Memory } from '../process-figures.ts'
import { shown, tableText, verdict } from '../report.ts'
import type { Goal } from '../report.ts'
import type { ScalePeer } from './peers.ts'

const sampleMs = 500

/** One row of the table. */
export interface Figure {
  readonly what: string
  readonly unit: string
  readonly value: number
  readonly goal?: Goal
}

export function figuresText (title: string, figures: readonly Figure[]): string {
  const rows = figures.map(({ what, unit, value, goal }) => [what, `${shown(value)} ${unit}`, verdict(value, goal, bound => bound.toLocaleString('en'))])
  return tableText(title, [['', 'measured', 'goal'], ...rows])
}

/** Looks twice a second at what each peer has resident, until it is disposed. */
export function watchMemory (peers: readonly ScalePeer[]): Disposable & { most (): Memory } {
  let most: Memory = { all: 0, files: 0 }
  const look = async (peer: ScalePeer): Promise<void> => {
    const memory = await peer.memory()
    if (memory.all > most.all) most = memory
  }
  const sampler = setInterval(() => { for (const peer of peers) look(peer).catch(() => {}) }, sampleMs)
  return {
    most: () => most,
    [Symbol.dispose] () { clearInterval(sampler) }
  }
}
