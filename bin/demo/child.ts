import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { abortable } from '../../cluster/async/abortable.ts'
import { deadline } from '../../cluster/async/deadline.ts'
import { pause } from '../../cluster/async/pause.ts'
import { systemClock } from '../../cluster/clock.ts'

const readyTimeoutMs = 120_000
const stopTimeoutMs = 25_000
const charactersKept = 64 * 1_024
const linesTold = 6

export interface Program {
  /** What people call it. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** The file that all it says goes to. */
  readonly log: string
}

/** A program of the demo, until it is disposed: it is asked to stop, and ended if it does not. */
export interface Child extends AsyncDisposable {
  readonly name: string
  readonly pid: number
  /** How it ended, and what it said last. Never rejects. */
  readonly ended: Promise<string>
  /** The first of its words that match. @throws Error when it ends before; ERR_TIMEOUT; the signal's reason */
  said (pattern: RegExp, signal: AbortSignal): Promise<RegExpExecArray>
}

/** In a process group of its own: a Ctrl-C in the terminal is for the demo, which then stops all in order. */
export async function startChild ({ name, command, args, env, log }: Program): Promise<Child> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const file = createWriteStream(log, { mode: 0o600 })
  const ended = once(child, 'close').then(() => `${name} has ended (${child.signalCode ?? `code ${child.exitCode}`})${told(text)}`, (err: Error) => `${name} cannot be run: ${err.message}`)
  let text = ''
  let heard = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(file, { end: false })
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-charactersKept)
      heard.resolve()
      heard = Promise.withResolvers()
    })
  }
  ended.finally(() => { file.end() })
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined

  return {
    name,
    pid: child.pid ?? 0,
    ended,
    async said (pattern, signal) {
      using limit = deadline(systemClock, readyTimeoutMs, `the start of ${name}`, signal)
      const end = ended.then(how => { throw new Error(how) })
      end.catch(() => {}) // it may end after this was heard
      while (true) {
        const match = pattern.exec(text)
        if (match !== null) return match
        await abortable(Promise.race([heard.promise, end]), limit.signal)
      }
    },
    async [Symbol.asyncDispose] () {
      if (isOver()) return
      child.kill('SIGTERM')
      const patience = new AbortController()
      const late = pause(systemClock, stopTimeoutMs, patience.signal).then(() => { child.kill('SIGKILL') }, () => {})
      await ended
      patience.abort()
      await late
    }
  }
}

function told (text: string): string {
  const lines = text.trimEnd().split('\n').slice(-linesTold).filter(line => line !== '')
  return lines.length === 0 ? '' : `. It said last:\n${lines.map(line => `    ${line}`).join('\n')}`
}
