import type { CID } from 'multiformats/cid'
import { unannouncedOf } from '../adder/announcing.ts'
import { defaultPinOptions } from '../cluster/api/pin.ts'
import type { PinOptions } from '../cluster/api/pin.ts'
import type { Announcing, PinWait } from '../cluster/ports.ts'
import { argument, DeadlineExceededError, kuboCommand } from './command.ts'
import type { CommandCall, KuboCommand } from './command.ts'
import { daemonPin } from './daemon-pins.ts'
import { fastProvideOptions, provideAsAsked } from './fast-provide.ts'
import { requireReadable, resolveArgument } from './ipfs-path.ts'
import { KuboCommandError } from './kubo-error.ts'
import { pinsXml } from './pin-output.ts'
import { unpin } from './pin-rm.ts'
import { stuckAt } from './stuck-update.ts'
import type { CommandComponents } from './routes.ts'

/** `pin/update`: `to` becomes a pin of the cluster's, with all that `from` was asked for, also when `from` was the daemon's alone. */
export function pinUpdate (components: CommandComponents, { pinWait }: { readonly pinWait: PinWait }): KuboCommand {
  return kuboCommand({
    path: 'pin/update',
    args: [argument('from-path', 'required'), argument('to-path', 'required')],
    options: { unpin: { type: 'bool', fallback: true }, ...fastProvideOptions },
    text: ({ Pins }: { readonly Pins: readonly string[] }) => `updated ${Pins[0]} to ${Pins[1]}\n`,
    printed: ({ Pins }) => `&{[${Pins.join(' ')}]}`,
    xml: ({ Pins }) => pinsXml('PinOutput', Pins),
    async run (call) {
      // Kubo reads both paths before it resolves either.
      for (const text of call.args.slice(0, 2)) await requireReadable(components.daemon, text, call)
      const from = await resolveArgument(components.daemon, call.args[0]!, call)
      const to = await resolveArgument(components.daemon, call.args[1]!, call)
      await update({ from, to, wait: pinWait, unannounced: unannouncedOf(call.options), unpins: call.options.unpin }, call, components)
      await provideAsAsked(to, call, components)
      await call.reply.once({ Pins: [call.cidText(from), call.cidText(to)] })
    }
  })
}

interface Update extends Announcing { readonly from: CID, readonly to: CID, readonly wait: PinWait, readonly unpins: boolean }

async function update ({ from, to, wait, unannounced = [], unpins }: Update, call: CommandCall, components: CommandComponents): Promise<void> {
  const wanted = await optionsOfRecursive(from, call, components)
  if (wanted === undefined) throw new KuboCommandError("'from' cid was not recursively pinned already")
  const isSame: boolean = from.equals(to)
  if (isSame) return
  if (await optionsOfRecursive(to, call, components) !== undefined) throw new KuboCommandError("'to' cid was already recursively pinned")

  try {
    await components.givenUp.pin(to, { ...wanted, pinUpdate: from }, { wait, unannounced, signal: call.signal })
  } catch (err) {
    if (!(call.signal.aborted && call.signal.reason instanceof DeadlineExceededError)) throw err
    const stuck = await stuckAt(from, to, { ...components, signal: call.patience })
    throw new KuboCommandError(`${stuck === undefined ? '' : `get ${stuck}: `}${call.signal.reason.message}`, { cause: err })
  }
  // Once Kubo has all of the new pin it looks at no time any more: half an update is told of by nobody.
  if (unpins) await unpin(from, { recursive: true, call: { signal: call.patience, patience: call.patience, timeLeft: () => undefined } }, components)
}

/** What was asked for with a recursive pin, be it the cluster's or the daemon's own; `undefined` when there is none. */
async function optionsOfRecursive (cid: CID, { signal }: CommandCall, { cluster, daemon, givenUp }: CommandComponents): Promise<PinOptions | undefined> {
  await givenUp.settled(cid, { signal })
  const entry = await cluster.state.get(cid)
  if (entry !== undefined && !cluster.isLeft(cid)) {
    const { name, mode, replication, expireAtMs, metadata, origins, allocations } = entry.pin
    return mode === 'recursive' ? { ...defaultPinOptions, name, replication, expireAtMs, metadata, origins, userAllocations: allocations } : undefined
  }
  const pin = await daemonPin(daemon, cid, { signal })
  return pin?.type === 'recursive' ? { ...defaultPinOptions, name: pin.name } : undefined
}
