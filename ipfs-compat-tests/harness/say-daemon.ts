/** Run by tap after all tests: says on one line which daemon they were run with, as `startDaemon` in `kubo.ts` chooses it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const binary = process.env['IPFS_BIN'] ?? ''
console.log(`daemon: ${binary === '' ? 'embedded (no IPFS_BIN)' : `kubo ${await versionOf(binary)} (IPFS_BIN)`}`)

async function versionOf (binary: string): Promise<string> {
  const { stdout } = await promisify(execFile)(binary, ['version', '--number'])
  return stdout.trim()
}
