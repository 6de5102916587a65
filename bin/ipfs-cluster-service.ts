#!/usr/bin/env node
import module from 'node:module'
import { whyNotNode } from './node-version.ts'

const tooOld = whyNotNode(process.versions.node)
if (tooOld !== undefined) {
  process.stderr.write(`error: ${tooOld}\n`)
  process.exit(1)
}
// What a peer is made of is loaded once its settings are known to be good; without a cache most of the start would be taking types away.
module.enableCompileCache()
const { runService } = await import('./service/main.ts')

process.exitCode = await runService(process.argv.slice(2))
// What was written is let out first; a handle that somebody forgot does not keep the process.
process.stdout.write('', () => process.exit())
