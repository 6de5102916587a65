import { once } from 'node:events'
import { connect } from 'node:net'

/** Whether a process listens on the unix socket at `path`; one that was killed leaves its socket behind, and nobody answers there. */
export async function isAnswered (path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
