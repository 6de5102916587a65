import type { TraceLevel } from '../core/types.ts'

const levels = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'] as const
const traceLevels: Readonly<Record<TraceLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Starts a line in which the engine says what it does. Its words are ours; scripts have other words, and the same numbers. */
export const traceMark = '\u0001'

/** What a directive prints. At level NONE nothing is, not even by the harness. */
export class Output {
  #text = ''
  #level = 0

  get isQuiet (): boolean { return this.#level === levels.length - 1 }
  get text (): string { return this.#text }

  reset (): void {
    this.#text = ''
  }

  write (text: string): void {
    if (!this.isQuiet) this.#text += text
  }

  trace (level: TraceLevel, what: string, values: readonly (number | string)[]): void {
    if (traceLevels[level] < this.#level) return
    this.write(`${traceMark}${levels[traceLevels[level]]!} ${[what, ...values].join(' ')}\n`)
  }

  /** Two spaces before every line that `print` writes. */
  indented (print: () => void): void {
    const before = this.#text
    this.#text = ''
    try {
      print()
    } finally {
      const inner = this.#text.replace(/\n$/, '')
      this.#text = before + (this.#text === '' ? '' : inner.split('\n').map(line => `  ${line}\n`).join(''))
    }
  }

  /** False if there is no such level. */
  setLevel (name: string): boolean {
    const level = levels.findIndex(known => known === name.toUpperCase())
    if (level < 0) return false
    this.#level = level
    return true
  }

  atLevel (name: string, print: () => void): boolean {
    const before = this.#level
    if (!this.setLevel(name)) return false
    try {
      print()
    } finally {
      this.#level = before
    }
    return true
  }

  static get levelNames (): string { return `[${levels.join(' ')}]` }
}
