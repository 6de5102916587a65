#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

enableCompileCache() // for who starts this file itself, instead of the one beside it that is quicker
const { runCtl } = await import('./ctl/main.ts')

// Whoever reads our output may stop reading; that is no failure.
process.stdout.on('error', err => { process.exit((err as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1) })
process.exitCode = await runCtl(process.argv.slice(2))
