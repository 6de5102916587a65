import type { Adder } from '../adder/adder.ts'
import type { Clock } from '../cluster/clock.ts'
import type { ClusterApi, PinWait } from '../cluster/ports.ts'
import type { KuboCommand } from './command.ts'
import type { DaemonCalls } from './daemon-calls.ts'
import type { GivenUp } from './given-up.ts'
import type { CommandTable } from './match-command.ts'
import { add } from './add.ts'
import { blockRm } from './block-rm.ts'
import { dagImport } from './dag-import.ts'
import { pinAdd } from './pin-add.ts'
import { pinLs } from './pin-ls.ts'
import { pinRm } from './pin-rm.ts'
import { pinUpdate } from './pin-update.ts'
import { blockPut, dagPut } from './put-then-pin.ts'
import { repoGc } from './repo-gc.ts'
import { repoStat } from './repo-stat.ts'

export interface CommandComponents {
  readonly cluster: ClusterApi
  readonly adder: Adder
  readonly daemon: DaemonCalls
  readonly clock: Clock
  readonly givenUp: GivenUp
}

/** The only place that says what the proxy answers itself. Everything else is the daemon's. */
export function createRoutes (components: CommandComponents, config: { readonly pinWait: PinWait }): CommandTable {
  const changing: readonly KuboCommand[] = [
    pinAdd(components, config), pinUpdate(components, config), add(components, config), dagImport(components, config), blockPut(components), dagPut(components)
  ]
  const commands: readonly KuboCommand[] = [
    ...changing.map(command => ofWriters(command, components)),
    pinRm(components), // of what the daemon alone has pinned, also where the pinset may not be changed
    pinLs(components),
    blockRm(components),
    repoStat(components, 'repo/stat'),
    repoStat(components, 'stats/repo'),
    repoGc(components)
  ]
  return new Map(commands.map(command => [command.path, command]))
}

/** Refused at once where the pinset may not be changed, before anything is fetched or read. */
function ofWriters (command: KuboCommand, { cluster }: CommandComponents): KuboCommand {
  return {
    ...command,
    async run (call) {
      cluster.assertMayChange()
      await command.run(call)
    }
  }
}
