#!/usr/bin/env node
import module from 'node:module'

if (!process.features.typescript) {
  process.stderr.write(`error: Node 24 or newer is needed, and this is ${process.versions.node}\n`)
  process.exit(1)
}
// Taking the types away, and loading what does that, costs more than all that most commands do: here the compiled code is kept,
// so that only the first start pays for it. A file that has types itself could only say so once it was too late.
module.enableCompileCache()
await import('./ipfs-cluster-ctl.ts')
