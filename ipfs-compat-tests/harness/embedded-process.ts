import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RpcTarget } from './rpc.ts'

const program = fileURLToPath(new URL('fixtures/embedded-on-folder.ts', import.meta.url))

export interface EmbeddedProcess extends RpcTarget, AsyncDisposable {
  readonly pid: number
  /** With SIGKILL; resolves when it is gone. */
  kill (): Promise<void>
}

/** The embedded daemon on a folder in a process of its own. @throws Error when it ends before it listens */
export async function startEmbeddedProcess (folder: string): Promise<EmbeddedProcess> {
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await closed
  }
  const port = await Promise.race([once(createInterface(child.stdout), 'line'), closed.then(() => undefined)]) as [string] | undefined
  if (port === undefined) throw new Error('the embedded daemon ended before it listened')
  return { pid: child.pid!, host: '127.0.0.1', port: Number(port[0]), kill, [Symbol.asyncDispose]: kill }
}
