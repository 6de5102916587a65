import type { EmbeddedNode } from '../node.ts'
import { networkCommands } from '../network/network-commands.ts'
import type { Command } from '../rpc/command.ts'
import type { DescribedDaemon } from '../config-document.ts'
import { absentCommands } from './absent-commands.ts'
import { addCommand } from './add-command.ts'
import { blockCommands } from './block-commands.ts'
import { configCommands } from './config-commands.ts'
import { dagCommands } from './dag-commands.ts'
import { dagWalkCommands } from './dag-walk-commands.ts'
import { dagImport } from './dag-import-command.ts'
import { filesChangeCommands } from './files-change-commands.ts'
import { filesListCommands } from './files-list-commands.ts'
import { filesStatCommand } from './files-stat-command.ts'
import { filesTreeCommands } from './files-tree-commands.ts'
import { listCommands } from './list-commands.ts'
import { nameCommands } from './name-commands.ts'
import { nodeCommands, shutdownCommand } from './node-commands.ts'
import { pinCommands } from './pin-commands.ts'
import { pinListCommands } from './pin-list-commands.ts'
import { readCommands } from './read-commands.ts'
import { removedCommands } from './removed-commands.ts'
import { repoCommands } from './repo-commands.ts'

/** What commands may do with the daemon as a whole. */
export interface DaemonControls {
  describe (): DescribedDaemon
  /** Begins to stop everything. */
  shutdown (): void
}

/** Everything this daemon answers; any other command is unknown to it. */
export function allCommands (node: EmbeddedNode, daemon: DaemonControls): readonly Command[] {
  const all: Command[] = []
  all.push(
    ...nodeCommands(node, () => all),
    ...networkCommands(node),
    addCommand(node),
    ...pinCommands(node),
    ...pinListCommands(node),
    ...blockCommands(node),
    dagImport(node),
    ...dagCommands(node),
    ...dagWalkCommands(node),
    ...repoCommands(node),
    ...readCommands(node),
    ...listCommands(node),
    ...filesListCommands(node),
    filesStatCommand(node),
    ...filesTreeCommands(node),
    ...filesChangeCommands(node),
    ...nameCommands(node),
    ...configCommands(node, daemon.describe),
    shutdownCommand(daemon.shutdown),
    ...absentCommands,
    ...removedCommands
  )
  return all
}
