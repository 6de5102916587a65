/** A page in Chromium, driven over its own debugging protocol: what only a browser sends is sent by one. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { temporaryFolder } from '../harness/folder.ts'
import { stopProcess } from '../harness/stop-process.ts'

const startTimeoutMs = 180_000
/** In a container there is neither a sandbox nor a GPU, and /dev/shm is small. */
const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--remote-debugging-port=0']

export interface Page extends AsyncDisposable {
  /** Loads another document and waits until that is done. */
  open (url: string): Promise<void>
  /** The value of an expression, awaited. @throws Error with what the page threw */
  evaluate (expression: string): Promise<unknown>
}

export const chromium: string | undefined = ['chromium', 'chromium-browser', 'google-chrome'].find(name => spawnSync(name, ['--version']).status === 0)

/** @throws Error when it does not start in time */
export async function startPage (): Promise<Page> {
  await using undo = new AsyncDisposableStack()
  const folder = undo.use(await temporaryFolder())
  const child = spawn(chromium!, [...flags, `--user-data-dir=${folder.path}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  undo.defer(() => stopProcess(child, closed))

  const debug = undo.adopt(new WebSocket(await debuggerOf(child.stderr)), socket => { socket.close() })
  await once(debug, 'open')
  const send = commandsOver(debug)
  const { targetInfos } = await send('Target.getTargets') as { targetInfos: readonly { type: string, targetId: string }[] }
  const { targetId } = targetInfos.find(({ type }) => type === 'page')!
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true }) as { sessionId: string }
  await send('Page.enable', {}, sessionId)
  const running = undo.move()
  return {
    async open (url) {
      const loaded = heard(debug, 'Page.loadEventFired')
      await send('Page.navigate', { url }, sessionId)
      await loaded
    },
    async evaluate (expression) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId) as { result: { value: unknown }, exceptionDetails?: { exception?: { description?: string } } }
      if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? 'the page threw')
      return result.value
    },
    [Symbol.asyncDispose]: () => running.disposeAsync()
  }
}

async function debuggerOf (stderr: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface(stderr)
  const found = Promise.withResolvers<string>()
  lines.on('line', line => {
    const url = /DevTools listening on (ws:\S+)/.exec(line)?.[1]
    if (url !== undefined) found.resolve(url)
  }).on('close', () => found.reject(new Error('Chromium ended before it listened')))
  AbortSignal.timeout(startTimeoutMs).addEventListener('abort', () => found.reject(new Error('Chromium does not listen')))
  return await found.promise
}

type Send = (method: string, params?: object, sessionId?: string) => Promise<unknown>

function commandsOver (debug: WebSocket): Send {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  debug.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as { id?: number, result?: unknown, error?: { message: string } }
    const asked = id === undefined ? undefined : waiting.get(id)
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(error.message))
    if (id !== undefined) waiting.delete(id)
  })
  debug.addEventListener('close', () => { for (const asked of waiting.values()) asked.reject(new Error('Chromium is gone')) })
  let last = 0
  return async (method, params = {}, sessionId = undefined) => {
    const asked = Promise.withResolvers<unknown>()
    waiting.set(++last, asked)
    debug.send(JSON.stringify({ id: last, method, params, sessionId }))
    return await asked.promise
  }
}

async function heard (debug: WebSocket, method: string): Promise<void> {
  const found = Promise.withResolvers<void>()
  const look = ({ data }: MessageEvent): void => { if ((JSON.parse(String(data)) as { method?: string }).method === method) found.resolve() }
  debug.addEventListener('message', look)
  await found.promise
  debug.removeEventListener('message', look)
}
