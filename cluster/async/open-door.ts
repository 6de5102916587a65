import { chmod, rm } from 'node:fs/promises'
import { ClusterError } from '../api/errors.ts'
import { isAnswered } from './is-answered.ts'

/** What is to be opened, as far as it matters here: how it was written in which setting, and the path of a unix socket. */
export interface Door { readonly setting: string, readonly multiaddr: string, readonly path?: string }

/**
 * Opens a door by `listen`. A unix socket that a process left behind when it was killed is taken over; only its owner may use it.
 *
 * @throws ClusterError ERR_STORAGE that names the setting and what is in the way
 */
export async function openDoor ({ setting, multiaddr, path }: Door, listen: () => Promise<unknown>): Promise<void> {
  try {
    if (path !== undefined && !await isAnswered({ path })) await rm(path, { force: true })
    await listen()
    if (path !== undefined) await chmod(path, 0o600)
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'another process listens there' : message
    throw new ClusterError('ERR_STORAGE', `${setting}: cannot listen on ${multiaddr}: ${why}`, { cause: err })
  }
}
