import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

const stopTimeoutMs = 10_000

/** Asks a program to end, makes it when it does not, and waits until it has. `closed` is its `close` event, awaited since it was started. */
export async function stopProcess (child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM')
  await Promise.race([closed, once(AbortSignal.timeout(stopTimeoutMs), 'abort')])
  child.kill('SIGKILL')
  await closed
}
