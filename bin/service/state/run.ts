import { systemClock } from '../../../cluster/clock.ts'
import type { Logger } from '../../../cluster/log.ts'
import { lockFolder } from '../../../cluster/store/folder-lock.ts'
import { UsageError } from '../../args.ts'
import type { Values } from '../../args.ts'
import { readFolder } from '../folder.ts'
import type { PeerFolder } from '../folder.ts'
import { isRunning } from './control.ts'
import { cleanUp, exportState, importState, tellVersion } from './offline.ts'
import { runOnline } from './online.ts'
import { say } from './output.ts'
import { prepareState } from './upgrade.ts'
import { wishesOf } from './wishes.ts'

export interface StateCall { readonly args: readonly string[], readonly flags: Values, readonly log: Logger, readonly env: NodeJS.ProcessEnv }

/** `state …`: work on the pinset, of a peer that is stopped or through the one that runs on the folder. */
export async function runState (command: string, folder: PeerFolder, { args, flags, log, env }: StateCall): Promise<void> {
  const wishes = wishesOf(args, flags)
  const settings = await readFolder(folder, env)
  const stopping = new AbortController()
  const { signal } = stopping
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(new UsageError(`stopped by ${name}`)))
  if (command !== 'state adopt' && await isRunning(folder)) return await runOnline(command, folder, wishes, { signal })

  await using _lock = await lockFolder(folder.path, systemClock)
  if (command === 'state version') return await tellVersion(folder, { signal })
  await prepareState(folder, say)
  switch (command) {
    case 'state export': return await exportState(folder, wishes, { signal })
    case 'state import': return await importState(folder, settings, wishes, { signal, log })
    case 'state cleanup': return await cleanUp(folder, wishes)
    default: await (await import('./adopt.ts')).adopt(folder, settings, log, stopping)
  }
}
