import { command } from '../rpc/command.ts'
import type { Command } from '../rpc/command.ts'
import { KuboError } from '../rpc/kubo-error.ts'

const removed = ['data', 'get', 'links', 'new', 'put', 'stat', 'patch/append-data', 'patch/set-data']

/** What Kubo once had and now only points away from. */
export const removedCommands: readonly Command[] = removed.map(name => command({
  path: `object/${name}`,
  args: [],
  options: {},
  run () { throw new KuboError("removed, use 'ipfs dag' or 'ipfs files' instead") }
}))
