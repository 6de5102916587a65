#!/usr/bin/env node
import module from 'node:module'
import { whyNotNode } from './node-version.ts'

const tooOld = whyNotNode(process.versions.node)
if (tooOld !== undefined) {
  process.stderr.write(`error: ${tooOld}\n`)
  process.exit(1)
}
module.enableCompileCache() // for who starts this file itself, instead of the one beside it that is quicker
const { runCtl } = await import('./ctl/main.ts')

// Whoever reads our output may stop reading; that is no failure.
process.stdout.on('error', err => { process.exit((err as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1) })
process.exitCode = await runCtl(process.argv.slice(2))
