import { systemClock } from '../../cluster/clock.ts'
import { silentLogger } from '../../cluster/log.ts'
import { createEmbeddedDaemon } from '../../embedded/daemon.ts'
import type { Daemon, DaemonOptions } from './kubo.ts'
import { placeholdersOf } from './placeholders.ts'

/** The embedded daemon on memory stores. Arguments of `ipfs daemon` that it has nothing for are refused. */
export async function startEmbeddedDaemon ({ config = {}, args = [], profile }: DaemonOptions): Promise<Daemon> {
  const strange = args.filter(arg => arg !== '--offline')
  if (strange.length > 0) throw new Error(`the embedded daemon has no ${strange.join(' ')}`)
  await using undo = new AsyncDisposableStack()
  const daemon = undo.use(createEmbeddedDaemon({ clock: systemClock, log: silentLogger }, {
    stores: 'memory', port: 0, kuboConfig: config, offline: args.includes('--offline'), ...profile === undefined ? {} : { profile }
  }))
  await daemon.start({ signal: new AbortController().signal })
  const { host, port } = daemon.address()
  const values = await placeholdersOf(host, port, config)
  const running = undo.move()
  return { kind: 'embedded', host, port, repoPath: values.REPO_PATH, values, [Symbol.asyncDispose]: () => running.disposeAsync() }
}
