#!/usr/bin/env node
import { runDemo } from './demo/run.ts'

const stopping = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => { stopping.abort(new Error(`stopped by ${name}`)) })

try {
  await runDemo({ env: process.env, say: line => { process.stdout.write(`${line}\n`) }, signal: stopping.signal })
} catch (err) {
  if (!stopping.signal.aborted) {
    process.stderr.write(`error: ${(err as Error).message}\n`)
    process.exitCode = 1
  }
}
