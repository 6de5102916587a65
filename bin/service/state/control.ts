import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { isAnswered } from '../../../cluster/async/is-answered.ts'
import type { Logger } from '../../../cluster/log.ts'
import type { MemberConsensus } from '../../../cluster/peer-ports.ts'
import type { AbortOptions, Component } from '../../../cluster/ports.ts'
import { UsageError } from '../../args.ts'
import type { PeerFolder } from '../folder.ts'
import { openStaged } from './staging.ts'
import { exportPins, importPins, removeAll } from './verbs.ts'
import type { StateEvent } from './verbs.ts'

/** What the peer that runs is asked for. `staged` is the folder of what is to be imported, beside its own. */
export type StateRequest = { readonly command: 'export' | 'cleanup' | 'count' } | { readonly command: 'import', readonly staged: string }

const requestBytesMax = 64 << 10

/** Where a peer that runs is asked; only who owns its folder can get there. */
const socketOf = (folder: PeerFolder): string => join(folder.path, 'control.sock')

/**
 * The door for the `state` commands of a peer that runs: a unix socket in its folder. A folder whose path is too long for one has none,
 * which is told.
 */
export function createControl ({ folder, consensus, log }: { readonly folder: PeerFolder, readonly consensus: MemberConsensus, readonly log: Logger }): Component {
  const path = socketOf(folder)
  const closing = new AbortController()
  const server = createServer((message, response) => {
    answer(message, response).catch((err: unknown) => { if (!response.writableEnded) response.end(`${JSON.stringify({ error: (err as Error).message })}\n`) })
  })

  async function answer (message: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort(new Error('who asked has gone')))
    const signal = AbortSignal.any([closing.signal, gone.signal])
    if (Number(message.headers['content-length'] ?? Infinity) > requestBytesMax) throw new Error('the request is too long')
    for await (const event of carryOut(JSON.parse(await text(message)) as StateRequest, signal)) {
      if (!response.write(`${JSON.stringify(event)}\n`)) await once(response, 'drain', { signal })
    }
    response.end()
  }

  async function * carryOut (asked: StateRequest, signal: AbortSignal): AsyncGenerator<StateEvent> {
    switch (asked.command) {
      case 'export': return yield * exportPins(consensus.state, { signal })
      case 'count': return yield { done: String(await consensus.state.count()) }
      case 'cleanup': return yield * removeAll(consensus, { signal })
      case 'import': {
        await using staged = await openStaged(asked.staged, { signal })
        return yield * importPins(consensus, staged, { signal })
      }
    }
  }

  return {
    name: 'control',
    async start ({ signal }) {
      signal.throwIfAborted()
      await rm(path, { force: true }) // the folder is ours: whoever left it is gone
      try {
        server.listen(path)
        await once(server, 'listening')
        await chmod(path, 0o600)
      } catch (err) {
        log.warn('the state commands want this peer stopped: no socket can be opened in its folder', { path, reason: (err as Error).message })
      }
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is being stopped'))
      server.closeAllConnections()
      if (server.listening) await new Promise<void>(resolve => { server.close(() => resolve()) })
    }
  }
}

/** Whether a peer runs on the folder and can be asked. */
export async function isRunning (folder: PeerFolder): Promise<boolean> {
  return await isAnswered({ path: socketOf(folder) })
}

/** Asks the peer that runs on the folder. @throws UsageError with its words, or when it went away in the middle */
export async function * askRunning (folder: PeerFolder, asked: StateRequest, { signal }: AbortOptions): AsyncGenerator<StateEvent> {
  const body = JSON.stringify(asked)
  const sent = request({ socketPath: socketOf(folder), method: 'POST', headers: { 'content-length': Buffer.byteLength(body) }, signal }).end(body)
  const [response] = await once(sent, 'response') as [IncomingMessage]
  let isDone = false
  for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
    const event = JSON.parse(line) as StateEvent | { readonly error: string }
    if ('error' in event) throw new UsageError(event.error)
    isDone ||= 'done' in event
    yield event
  }
  signal.throwIfAborted()
  if (!isDone) throw new UsageError('the peer has stopped in the middle of its answer')
}
