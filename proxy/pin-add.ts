import type { CID } from 'multiformats/cid'
import { unannouncedOf } from '../adder/announcing.ts'
import { KuboRepliedError } from '../cluster/api/errors.ts'
import { defaultPinOptions } from '../cluster/api/pin.ts'
import { CallerLeftError } from '../cluster/async/caller-left.ts'
import type { PinProgress, PinWait } from '../cluster/ports.ts'
import { argument, DeadlineExceededError, kuboCommand } from './command.ts'
import type { CommandCall, KuboCommand } from './command.ts'
import { fastProvideOptions, provideAsAsked } from './fast-provide.ts'
import type { FastProvide } from './fast-provide.ts'
import { resolveArgument } from './ipfs-path.ts'
import { KuboCommandError, messageOf } from './kubo-error.ts'
import { checkPinName } from './pin-name.ts'
import { pinsXml } from './pin-output.ts'
import { ticking } from './ticking.ts'
import type { CommandComponents } from './routes.ts'

interface AddPinOutput { readonly [key: string]: readonly string[] | number | undefined, readonly Pins?: readonly string[] | undefined, readonly Progress?: number | undefined, readonly Bytes?: number | undefined }

/** What Kubo says when it cannot pin. Not for what comes before the pinning itself. */
const pinFailed = (message: string, cause?: unknown): KuboCommandError => new KuboCommandError(`pin: ${message}`, { cause })

const options = {
  recursive: { type: 'bool', aliases: ['r'], fallback: true },
  name: { type: 'string', aliases: ['n'] },
  progress: { type: 'bool' },
  ...fastProvideOptions
} as const

type PinAddCall = CommandCall<{ readonly recursive: boolean, readonly name: string | undefined, readonly progress: boolean | undefined } & FastProvide, AddPinOutput>

/** `pin/add`: one after another, each a pin of the cluster's, answered when all are held as `pin_wait` says. */
export function pinAdd (components: CommandComponents, { pinWait }: { readonly pinWait: PinWait }): KuboCommand {
  return kuboCommand({
    path: 'pin/add',
    args: [argument('ipfs-path', 'required', 'variadic', 'stdin')],
    options,
    text: ({ Pins = [] }: AddPinOutput, { recursive }) => Pins.map(pin => `pinned ${pin} ${recursive ? 'recursively' : 'directly'}\n`).join(''),
    printed: ({ Pins = [], Progress = 0, Bytes = 0 }) => `&{[${Pins.join(' ')}] %!s(int=${Progress}) %!s(uint64=${Bytes})}`,
    xml: ({ Pins = [], Progress = 0, Bytes = 0 }) => pinsXml('AddPinOutput', Pins, `<Progress>${Progress}</Progress><Bytes>${Bytes}</Bytes>`),
    async run (call) {
      checkPinName(call.options.name ?? '')
      if (call.options.progress === true) await pinWithTicks(call, components, pinWait)
      else await call.reply.once({ Pins: await pinAll(call, components, { pinWait }) })
    }
  })
}

/** A line each half second, whether anything moved or not, and the sum at the end. */
async function pinWithTicks (call: PinAddCall, components: CommandComponents, pinWait: PinWait): Promise<void> {
  const sum = new ProgressSum()
  const emit = (): Promise<void> => call.reply.emit({ Progress: sum.nodes || undefined, Bytes: sum.bytes || undefined })
  const pins = await ticking(pinAll(call, components, { pinWait, sum }), { clock: components.clock, signal: call.signal, everyMs: 500 }, emit)
  if (sum.nodes !== 0) await emit()
  await call.reply.emit({ Pins: pins })
}

async function pinAll (call: PinAddCall, components: CommandComponents, { pinWait, sum }: { readonly pinWait: PinWait, readonly sum?: ProgressSum }): Promise<readonly string[]> {
  const pins: string[] = []
  for (const text of call.args) {
    const cid = await resolveArgument(components.daemon, text, call)
    await requireRootOffline(cid, call, components)
    await pinOne(cid, call, components, { pinWait, sum })
    pins.push(call.cidText(cid))
    await provideAsAsked(cid, call, components)
  }
  return pins
}

async function pinOne (cid: CID, call: PinAddCall, { cluster, daemon, givenUp }: CommandComponents, { pinWait, sum }: { readonly pinWait: PinWait, readonly sum: ProgressSum | undefined }): Promise<void> {
  const { recursive, name = '' } = call.options
  try {
    await givenUp.settled(cid, call)
    const entry = await cluster.state.get(cid)
    if (!recursive && entry?.pin.mode === 'recursive' && !cluster.isLeft(cid)) throw pinFailed(`${cid.toString()} already pinned recursively`)

    sum?.next()
    await givenUp.pin(cid, { ...defaultPinOptions, name, mode: recursive ? 'recursive' : 'direct' }, {
      wait: pinWait,
      unannounced: unannouncedOf(call.options),
      signal: call.signal,
      ...sum === undefined ? {} : { onProgress: progress => sum.set(progress) }
    })
  } catch (err) {
    const { aborted, reason } = call.signal
    if (!(aborted && (reason instanceof DeadlineExceededError || reason instanceof CallerLeftError))) throw err
    throw sum === undefined ? pinFailed(reason.message, err) : reason
  }
  // A pin that was there already made nothing move; Kubo counts its nodes all the same.
  if (sum !== undefined && recursive && !sum.moved) sum.set(await countNodes(cid, call, daemon))
}

/** `offline` is heeded for the root alone; below it Kubo fetches. */
async function requireRootOffline (cid: CID, { options: { offline, local }, patience, timeLeft }: PinAddCall, { daemon }: CommandComponents): Promise<void> {
  if (offline !== true && local !== true) return
  const timeout = timeLeft()
  const query = [['arg', cid.toString()], ['offline', 'true'], ...timeout === undefined ? [] : [['timeout', timeout]]] as [string, string][]
  try {
    await daemon.value('block/stat', { query, signal: patience })
  } catch (err) {
    throw err instanceof KuboRepliedError ? pinFailed(messageOf(err), err) : err
  }
}

async function countNodes (cid: CID, { signal }: PinAddCall, daemon: CommandComponents['daemon']): Promise<PinProgress> {
  const last = (await Array.fromAsync(daemon.values('dag/stat', { query: [['arg', cid.toString()], ['progress', 'false']], signal }))).at(-1)
  const { UniqueBlocks = 0, TotalSize = 0 } = (last ?? {}) as { UniqueBlocks?: number, TotalSize?: number }
  return { nodes: UniqueBlocks, bytes: TotalSize }
}

/** Progress over several arguments: what is done, and what the one under way says. */
class ProgressSum {
  #done = { nodes: 0, bytes: 0 }
  #now: PinProgress = { nodes: 0, bytes: 0 }

  get nodes (): number { return this.#done.nodes + this.#now.nodes }
  get bytes (): number { return this.#done.bytes + this.#now.bytes }
  get moved (): boolean { return this.#now.nodes > 0 }

  set (progress: PinProgress): void { this.#now = progress }

  next (): void {
    this.#done = { nodes: this.nodes, bytes: this.bytes }
    this.#now = { nodes: 0, bytes: 0 }
  }
}
