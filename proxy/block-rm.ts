import type { CID } from 'multiformats/cid'
import { argument, kuboCommand } from './command.ts'
import type { CommandCall, KuboCommand } from './command.ts'
import { escapeXml } from './encodings.ts'
import { resolveArgument } from './ipfs-path.ts'
import type { CommandComponents } from './routes.ts'

interface RemovedBlock { readonly [key: string]: string | undefined, readonly Hash: string, readonly Error?: string | undefined }

/** `block/rm`: what the cluster pins is refused as Kubo refuses what it pins, also while this daemon is still fetching it. The rest is the daemon's. */
export function blockRm (components: CommandComponents): KuboCommand {
  return kuboCommand({
    path: 'block/rm',
    args: [argument('cid', 'required', 'variadic')],
    options: { force: { type: 'bool', aliases: ['f'] }, quiet: { type: 'bool', aliases: ['q'] } },
    printed: ({ Hash, Error: error = '' }: RemovedBlock) => `&{${Hash} ${error}}`,
    xml: ({ Hash, Error: error = '' }) => `<removedBlock><Hash>${Hash}</Hash><Error>${escapeXml(error)}</Error></removedBlock>`,
    async run (call) {
      for (const text of call.args) {
        const cid = await resolveArgument(components.daemon, text, call)
        for await (const line of removed(cid, call, components)) await call.reply.emit({ Hash: call.cidText(cid), Error: line.Error })
      }
    }
  })
}

async function * removed (cid: CID, { options: { force, quiet, offline }, patience, timeLeft }: CommandCall<{ readonly force: boolean | undefined, readonly quiet: boolean | undefined }>, { cluster, daemon }: CommandComponents): AsyncGenerator<RemovedBlock, void, undefined> {
  const entry = await cluster.state.get(cid)
  if (entry !== undefined) {
    yield { Hash: cid.toString(), Error: `pinned: ${entry.pin.mode}` }
    return
  }
  const flags = Object.entries({ force, quiet, offline, timeout: timeLeft() }).filter(([, value]) => value !== undefined)
  const query: [string, string][] = [['arg', cid.toString()], ...flags.map(([name, value]): [string, string] => [name, String(value)])]
  yield * daemon.values('block/rm', { query, signal: patience }) as AsyncGenerator<RemovedBlock, void, undefined>
}
