import type { CID } from 'multiformats/cid'
import { ClusterError } from '../cluster/api/errors.ts'
import { argument, kuboCommand } from './command.ts'
import type { CommandCall, KuboCommand } from './command.ts'
import { resolveArgument } from './ipfs-path.ts'
import { KuboCommandError } from './kubo-error.ts'
import { pinsXml } from './pin-output.ts'
import type { CommandComponents } from './routes.ts'

/** `pin/rm`: one after another; those before the one that fails are gone, as in Kubo. */
export function pinRm (components: CommandComponents): KuboCommand {
  return kuboCommand({
    path: 'pin/rm',
    args: [argument('ipfs-path', 'required', 'variadic', 'stdin')],
    options: { recursive: { type: 'bool', aliases: ['r'], fallback: true } },
    text: ({ Pins }: { readonly Pins: readonly string[] }) => Pins.map(pin => `unpinned ${pin}\n`).join(''),
    printed: ({ Pins }) => `&{[${Pins.join(' ')}]}`,
    xml: ({ Pins }) => pinsXml('PinOutput', Pins),
    async run (call) {
      const pins: string[] = []
      for (const text of call.args) {
        const cid = await resolveArgument(components.daemon, text, call)
        pins.push(call.cidText(cid))
        await unpin(cid, { recursive: call.options.recursive, call }, components)
      }
      await call.reply.once({ Pins: pins })
    }
  })
}

/** Takes back a pin of the cluster's; one that only the daemon has is the daemon's to take back. */
export async function unpin (cid: CID, { recursive, call }: { readonly recursive: boolean, readonly call: Pick<CommandCall, 'signal' | 'patience' | 'timeLeft'> }, { cluster, daemon, givenUp }: CommandComponents): Promise<void> {
  await givenUp.settled(cid, call)
  const isOfDaemon = await givenUp.apart(cid, async () => {
    if (await cluster.state.get(cid) !== undefined) return false
    if (cluster.isLettingGo(cid)) throw new KuboCommandError(notPinned) // another has just unpinned it
    const timeout = call.timeLeft()
    const query = [['arg', cid.toString()], ['recursive', String(recursive)], ...timeout === undefined ? [] : [['timeout', timeout]]] as [string, string][]
    await daemon.value('pin/rm', { query, signal: call.patience })
    return true
  }, call)
  if (isOfDaemon) return
  const entry = await cluster.state.get(cid)
  if (entry?.pin.mode === 'recursive' && !recursive) throw new KuboCommandError(`${cid.toString()} is pinned recursively`)
  try {
    await cluster.unpin(cid, { signal: call.signal })
  } catch (err) {
    if (err instanceof ClusterError && err.code === 'ERR_PIN_NOT_FOUND') throw new KuboCommandError(notPinned, { cause: err })
    throw err
  }
}

const notPinned = 'not pinned or pinned indirectly'
