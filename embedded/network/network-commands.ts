import type { EmbeddedNode } from '../node.ts'
import type { Command } from '../rpc/command.ts'
import { bitswapCommands } from './bitswap-commands.ts'
import { idCommand } from './id-command.ts'
import { peeringCommands } from './peering-commands.ts'
import { pingCommand } from './ping-command.ts'
import { routingCommands } from './routing-commands.ts'
import { swarmCommands } from './swarm-commands.ts'

/** Everything that is answered about peers. */
export function networkCommands (node: EmbeddedNode): readonly Command[] {
  return [idCommand(node), ...swarmCommands(node), ...peeringCommands(node), ...bitswapCommands(node), pingCommand(node), ...routingCommands(node)]
}
