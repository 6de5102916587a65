import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions } from '../../../cluster/ports.ts'
import { storedFormat } from '../../../cluster/store/format.ts'
import { UsageError } from '../../args.ts'
import type { PeerFolder } from '../folder.ts'
import { askRunning } from './control.ts'
import { printOutcome, printVersion, say, writeExport } from './output.ts'
import { openStaged, stage } from './staging.ts'
import type { StateWishes } from './wishes.ts'

/** A `state` command through the peer that runs on the folder: what it changes is agreed on by the whole cluster. */
export async function runOnline (command: string, folder: PeerFolder, wishes: StateWishes, { signal }: AbortOptions): Promise<void> {
  switch (command) {
    case 'state version': return printVersion(await storedFormat(folder.state), await countPins(folder, { signal }))
    case 'state export': return await writeExport(askRunning(folder, { command: 'export' }, { signal }), wishes.file)
    case 'state cleanup': return await cleanUp(folder, wishes, { signal })
    default: await importPins(folder, wishes, { signal })
  }
}

async function cleanUp (folder: PeerFolder, { force }: StateWishes, { signal }: AbortOptions): Promise<void> {
  if (!force) {
    throw new UsageError(`the peer runs: all ${await countPins(folder, { signal })} pins would leave the pinset of the whole cluster, and its daemons let go of them; say so with --force, or stop the peer to put aside what it alone has`)
  }
  await printOutcome(askRunning(folder, { command: 'cleanup' }, { signal }))
}

async function importPins (folder: PeerFolder, { input, given, force }: StateWishes, { signal }: AbortOptions): Promise<void> {
  const staged = join(folder.path, 'import.online')
  await using _ = { [Symbol.asyncDispose]: async () => { await rm(staged, { recursive: true, force: true }) } }
  await stage(staged, { path: input, given, signal, say })
  const there = await countPins(folder, { signal })
  if (!force && there > 0) {
    await using read = await openStaged(staged, { signal })
    throw new UsageError(`the pinset of the running cluster, ${there} pins, would be replaced by the ${read.count()} pins that were read; say so with --force: ipfs-cluster-service --force state import`)
  }
  await printOutcome(askRunning(folder, { command: 'import', staged }, { signal }))
}

async function countPins (folder: PeerFolder, { signal }: AbortOptions): Promise<number> {
  const [event] = await Array.fromAsync(askRunning(folder, { command: 'count' }, { signal }))
  return event !== undefined && 'done' in event ? Number(event.done) : 0
}
