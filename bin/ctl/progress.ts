/** A line at the bottom of a terminal that says how far long work has come. */
export interface Progress extends Disposable {
  /** Whether somebody looks on. */
  readonly isSeen: boolean
  /** Shown now, or with the next one if the last was just shown. */
  show (text: string): void
  /** How much of how much, as a bar. */
  bar (done: number, total: number, unit: (amount: number) => string): void
  /** Out of the way of what is printed next. */
  clear (): void
}

/** As far as it is used of a stream of the process. */
export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write (text: string): unknown
}

const everyMs = 100
const barCells = 30

/** Where nobody looks on, nothing is said. */
export function createProgress (terminal: Terminal, isWanted: boolean, nowMs: () => number = () => performance.now()): Progress {
  if (terminal.isTTY !== true || !isWanted) return { isSeen: false, show () {}, bar () {}, clear () {}, [Symbol.dispose] () {} }
  let shownMs = -Infinity
  let isShown = false

  const show = (text: string): void => {
    if (isShown && nowMs() - shownMs < everyMs) return
    shownMs = nowMs()
    isShown = true
    terminal.write(`\r\u001b[K${text.slice(0, Math.max(1, (terminal.columns || 80) - 1))}`)
  }
  const clear = (): void => {
    if (isShown) terminal.write('\r\u001b[K')
    isShown = false
  }
  return {
    isSeen: true,
    show,
    bar (done, total, unit) {
      const part = total === 0 ? 1 : Math.min(1, done / total)
      const cells = Math.floor(part * barCells)
      show(`${unit(done)} of ${unit(total)} [${'='.repeat(cells)}${' '.repeat(barCells - cells)}] ${Math.floor(part * 100)}%`)
    },
    clear,
    [Symbol.dispose]: clear
  }
}
