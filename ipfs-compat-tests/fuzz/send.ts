import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { ResponseParser } from '../harness/recordings/response-parser.ts'
import type { Trial } from './trial.ts'

/** So long an answer may take, on a machine that is busy with other things. */
const deadlineMs = 120_000

export type Outcome =
  | { readonly kind: 'answered', readonly status: number }
  /** Without an answer. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'left' }
  | { readonly kind: 'hangs' }
  | { readonly kind: 'nonsense', readonly why: string }

/** Writes a trial piece by piece and reads what comes back, to its end. */
export async function send ({ pieces, leaves }: Trial, { host, port }: { readonly host: string, readonly port: number }): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  const parser = new ResponseParser(false)
  const soFar = (): Outcome => parser.response.status > 0 ? { kind: 'answered', status: parser.response.status } : { kind: 'closed' }
  const timer = setTimeout(() => resolve({ kind: 'hangs' }), deadlineMs)
  socket.on('data', bytes => {
    try {
      parser.take(bytes as Buffer)
    } catch (err) {
      resolve({ kind: 'nonsense', why: (err as Error).message })
    }
    if (parser.isEnded) resolve(soFar())
  })
  socket.on('end', () => resolve(soFar())).on('error', () => resolve(soFar())).on('close', () => resolve(soFar()))
  try {
    for (const piece of pieces) {
      if (socket.destroyed) break
      socket.write(piece)
      await turn()
    }
    if (leaves === 'ends') socket.end()
    if (leaves === 'goes') resolve({ kind: 'left' })
    return await promise
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}
