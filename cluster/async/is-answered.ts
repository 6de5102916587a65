import { once } from 'node:events'
import { connect } from 'node:net'
import type { NetConnectOpts } from 'node:net'

/** Whether a process listens there; one that was killed leaves its unix socket behind, and nobody answers at that. */
export async function isAnswered (at: NetConnectOpts): Promise<boolean> {
  const socket = connect(at)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
