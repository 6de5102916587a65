import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import type { RpcTarget } from '../ipfs-compat-tests/harness/rpc.ts'

export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Load {
  readonly connections: number
  /** The path of the request with this number; `undefined` when there are no more. */
  readonly path: (number: number) => string | undefined
  readonly durationMs?: number
}

/**
 * Requests without bodies on kept-alive connections, each connection sending the next when the last is answered. On bare sockets, so that
 * the client does not cost more than what is measured.
 *
 * @throws Error for an answer that tells no success
 */
export async function runLoad ({ host, port }: RpcTarget, { connections, path, durationMs = Infinity }: Load): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, async () => {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    return socket
  }))
  const startMs = performance.now()
  const timesMs: number[] = []
  let next = 0
  const nextPath = (): string | undefined => performance.now() - startMs >= durationMs ? undefined : path(next++)
  try {
    await Promise.all(sockets.map(async socket => { await drive(socket, `${host}:${port}`, nextPath, timesMs) }))
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  const seconds = (performance.now() - startMs) / 1_000
  timesMs.sort((a, b) => a - b)
  return { perSecond: timesMs.length / seconds, p50Ms: timesMs[timesMs.length >> 1]!, p99Ms: timesMs[Math.floor(timesMs.length * 0.99)]! }
}

async function drive (socket: Socket, host: string, nextPath: () => string | undefined, timesMs: number[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let sentMs = 0
  let answer = ''
  const send = (): void => {
    const path = nextPath()
    if (path === undefined) return resolve()
    answer = ''
    sentMs = performance.now()
    socket.write(`POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`)
  }
  socket.on('data', chunk => {
    answer += chunk.toString('latin1')
    if (!isWhole(answer)) return
    timesMs.push(performance.now() - sentMs)
    if (answer.startsWith('HTTP/1.1 20')) send()
    else reject(new Error(answer))
  })
  socket.on('error', reject).on('close', () => reject(new Error('the connection was closed')))
  send()
  await promise
}

function isWhole (answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1]
  if (length !== undefined) return answer.length >= headEnd + 4 + Number(length)
  return answer.endsWith('\r\n\r\n') && answer.includes('\r\n0\r\n', headEnd + 2)
}
