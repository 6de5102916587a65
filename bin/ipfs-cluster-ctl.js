#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Taking the types away, and loading what does that, costs more than all that most commands do: here the compiled code is kept,
// so that only the first start pays for it. A file that has types itself could only say so once it was too late.
enableCompileCache()
await import('./ipfs-cluster-ctl.ts')
