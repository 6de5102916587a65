#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { parsePeers, runDemo } from './demo/run.ts'

const stopping = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => { stopping.abort(new Error(`stopped by ${name}`)) })

try {
  const { peers } = parseArgs({ options: { peers: { type: 'string', default: '3' } } }).values
  await runDemo({ peers: parsePeers(peers), env: process.env, say: line => { process.stdout.write(`${line}\n`) }, signal: stopping.signal })
} catch (err) {
  if (!stopping.signal.aborted) {
    process.stderr.write(`error: ${(err as Error).message}\n`)
    process.exitCode = 1
  }
}
