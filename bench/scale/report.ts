import type { Memory, ScalePeer } from './peers.ts'

const sampleMs = 500

/** One row of the table. */
export interface Figure {
  readonly what: string
  readonly unit: string
  readonly value: number
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number }
}

export function figuresText (title: string, figures: readonly Figure[]): string {
  const rows = [['', 'measured', 'goal'], ...figures.map(({ what, unit, value, goal }) => [what, `${shown(value)} ${unit}`, verdict(value, goal)])]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return `${title}\n${rows.map(row => `  ${row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join('   ')}\n`).join('')}`
}

function verdict (value: number, goal: Figure['goal']): string {
  if (goal === undefined) return ''
  if ('atLeast' in goal) return `≥ ${goal.atLeast.toLocaleString('en')} ${value >= goal.atLeast ? 'reached' : 'MISSED'}`
  return `≤ ${goal.atMost.toLocaleString('en')} ${value <= goal.atMost ? 'reached' : 'MISSED'}`
}

const shown = (value: number): string => value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)

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
