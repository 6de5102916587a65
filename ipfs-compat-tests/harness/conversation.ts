/** Both sides of a raw connection, as a client sees them: what no HTTP library sends, and how the connection ends. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'

const silenceMs = 20_000

export interface Conversation {
  /** Resolves when the system has taken the bytes, or the connection is gone. */
  send (bytes: string | Uint8Array): Promise<void>
  /** Waits for a text in what has been heard, or for the end of the connection. */
  until (text: string | RegExp): Promise<void>
  /** Closes our side. */
  end (): void
  readonly isOver: boolean
}

export interface Heard {
  readonly text: string
  /** `open` when we hung up, `silent` when nothing more came for a long time. */
  readonly ending: 'closed' | 'reset' | 'open' | 'silent'
}

/** Talks as `speak` says, and then listens until the other side closes, unless `hangsUp`. */
export async function converse (port: number, speak: (talk: Conversation) => Promise<void>, { hangsUp = false }: { readonly hangsUp?: boolean } = {}): Promise<Heard> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const over = Promise.withResolvers<Heard['ending']>()
  const waiting = new Set<() => void>()
  let text = ''
  let isOver = false
  socket.on('data', (chunk: Buffer) => { text += chunk.toString('latin1'); for (const look of waiting) look() })
  socket.once('end', () => over.resolve('closed')).once('error', () => over.resolve('reset')).setTimeout(silenceMs, () => over.resolve('silent'))
  void over.promise.then(() => { isOver = true; for (const look of waiting) look() })

  await speak({
    get isOver () { return isOver },
    send: async bytes => { await taken(socket, bytes) },
    async until (wanted) {
      const found = Promise.withResolvers<void>()
      const look = (): void => { if (isOver || (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text))) found.resolve() }
      waiting.add(look)
      look()
      await found.promise
      waiting.delete(look)
    },
    end: () => { socket.end() }
  })
  const ending = hangsUp ? 'open' : await over.promise
  socket.destroy()
  return { text, ending }
}

async function taken (socket: Socket, bytes: string | Uint8Array): Promise<void> {
  if (socket.destroyed || !socket.writable) return
  await new Promise<void>(resolve => {
    socket.once('close', resolve)
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => { socket.off('close', resolve); resolve() })
  })
}
