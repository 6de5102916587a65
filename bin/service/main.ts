import { createLogger } from '../../cluster/log.ts'
import { parseCommandLine } from '../args.ts'
import type { Invocation } from '../args.ts'
import { version } from '../version.ts'
import { becomeOwner } from './folder-owner.ts'
import { peerFolder } from './folder.ts'
import { parseLogLevels } from './log-levels.ts'
import { program } from './program.ts'

/** The whole program, from its arguments to its exit code. */
export async function runService (argv: readonly string[]): Promise<number> {
  try {
    const parsed = parseCommandLine(program, argv, process.env)
    if (parsed.kind === 'show') process.stdout.write(parsed.text)
    else await run(parsed.invocation)
    return 0
  } catch (err) {
    return complain(err as Error & { readonly code?: string })
  }
}

async function run ({ command, args, flags }: Invocation): Promise<void> {
  const folder = peerFolder(flags.text('config')!)
  const log = createLogger(line => { process.stderr.write(line) }, parseLogLevels(flags.is('debug') ? 'debug' : flags.text('loglevel') ?? usualLevel(command)))
  // Each command brings its own parts in: `init` and `version` need no database.
  switch (command) {
    case 'version': process.stdout.write(`${version}\n`); return
    case 'init': {
      const { runInit } = await import('./init.ts')
      await becomeOwner(folder.path)
      return await runInit(folder, args, flags, process.env)
    }
    case 'daemon': return await (await import('./daemon.ts')).runDaemon(folder, flags, log, process.env)
    case 'config show': case 'config check': case 'config convert': {
      const { runConfig } = await import('./config.ts')
      await becomeOwner(folder.path)
      return await runConfig(command, folder, { flags, env: process.env })
    }
    default: {
      const { runState } = await import('./state/run.ts')
      await becomeOwner(folder.path)
      return await runState(command, folder, { args, flags, log, env: process.env })
    }
  }
}

/** Commands that tell how far they are do not have the parts that they set going talk in between. */
const usualLevel = (command: string): string => command.startsWith('state ') ? 'warn' : 'info'

function complain ({ name, message, stack, code }: Error & { readonly code?: string }): number {
  const isForUser = name === 'UsageError' || code !== undefined
  process.stderr.write(`error: ${isForUser ? message : stack ?? message}\n`)
  return 1
}
