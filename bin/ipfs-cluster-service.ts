#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { createLogger } from '../cluster/log.ts'
import { parseCommandLine } from './args.ts'
import type { Invocation } from './args.ts'
import { peerFolder } from './service/folder.ts'
import { parseLogLevels } from './service/log-levels.ts'
import { program } from './service/program.ts'
import { version } from './version.ts'

// What a peer is made of is loaded once its settings are known to be good; without a cache most of the start would be taking types away.
enableCompileCache()

async function run ({ command, args, flags }: Invocation): Promise<void> {
  const folder = peerFolder(flags.text('config')!)
  const log = createLogger(line => { process.stderr.write(line) }, parseLogLevels(flags.is('debug') ? 'debug' : flags.text('loglevel')!))
  // Each command brings its own parts in: `init` and `version` need no database.
  switch (command) {
    case 'version': process.stdout.write(`${version}\n`); return
    case 'init': return await (await import('./service/init.ts')).runInit(folder, args, flags, process.env)
    case 'daemon': return await (await import('./service/daemon.ts')).runDaemon(folder, flags, log, process.env)
    case 'config show': case 'config check': case 'config convert': return await (await import('./service/config.ts')).runConfig(command, folder, { flags, env: process.env })
    default: return await (await import('./service/state/run.ts')).runState(command, folder, { args, flags, log, env: process.env })
  }
}

async function main (argv: readonly string[]): Promise<void> {
  const parsed = parseCommandLine(program, argv, process.env)
  if (parsed.kind === 'show') process.stdout.write(parsed.text)
  else await run(parsed.invocation)
}

function complain (err: unknown): void {
  const { name, message, stack, code } = err as Error & { code?: string }
  const isForUser = name === 'UsageError' || code !== undefined
  process.stderr.write(`error: ${isForUser ? message : stack ?? message}\n`)
  process.exitCode = 1
}

// What was written is let out first; a handle that somebody forgot does not keep the process.
main(process.argv.slice(2)).catch(complain).then(() => process.stdout.write('', () => process.exit()))
