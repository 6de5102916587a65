import { ClusterError } from '../api/errors.ts'
import { joinSignals } from '../async/join-signals.ts'
import { pause } from '../async/pause.ts'
import type { Clock } from '../clock.ts'
import type { AbortOptions } from '../ports.ts'
import { jsonLines, saysGcHadErrors } from './kubo-reply.ts'
import type { Requests } from './requests.ts'

/** What this peer itself does on the daemon at the moment: all of it has an end of its own. */
export interface OwnWork {
  /** As texts. */
  readonly pins: ReadonlySet<string>
  readonly imports: number
}

export interface CollectCall extends AbortOptions {
  /** For the whole of it; 0 is no limit. */
  readonly timeoutMs: number
  /** How long something else may keep the collection from beginning. */
  readonly holdupMs: number
}

interface GcLine { readonly Key?: { readonly '/': string } | null, readonly Error?: string }
interface RunningCommand { readonly Command: string, readonly Args: readonly string[] | null, readonly StartTime: string, readonly Active: boolean }

/** Of the commands that hold Kubo's pin lock those that wait for the network, if need be for ever. */
const waiting: ReadonlySet<string> = new Set(['pin/add', 'pin/update', 'dag/import'])
const namedMax = 5

/**
 * `repo/gc`, line by line. Errors come as lines of their own; the trailer that then repeats that there were some says nothing more.
 *
 * Kubo begins once nobody holds its pin lock, and until then says nothing: one `ipfs pin add` of content that lacks a block holds it until its caller leaves. What has
 * gone on for `holdupMs`, by the daemon's clock, and is not this peer's own ends the collection. A daemon that is only slow to find out what it may remove is waited for.
 *
 * @throws ClusterError ERR_STALLED that names what it waits for; ERR_TIMEOUT
 */
export async function * collect (
  { requests, clock, own }: { readonly requests: Requests, readonly clock: Clock, readonly own: OwnWork }, { signal, timeoutMs, holdupMs }: CollectCall
): AsyncGenerator<{ key: string, error: string }, void, undefined> {
  const heldUp = new AbortController()
  const begun = new AbortController()
  using watching = joinSignals(signal, begun.signal)
  using collecting = joinSignals(signal, heldUp.signal)
  watch({ requests, clock, own }, holdupMs, watching.signal).catch(err => { if (!begun.signal.aborted) heldUp.abort(err) })
  try {
    const { body } = await requests.post('repo/gc', { query: [['stream-errors', 'true']], timeoutMs, signal: collecting.signal })
    begun.abort()
    for await (const { Key, Error: error = '' } of jsonLines<GcLine>(body)) yield { key: Key?.['/'] ?? '', error }
  } catch (err) {
    if (!saysGcHadErrors(err)) throw err
  } finally {
    begun.abort()
  }
}

async function watch ({ requests, clock, own }: { readonly requests: Requests, readonly clock: Clock, readonly own: OwnWork }, holdupMs: number, signal: AbortSignal): Promise<never> {
  while (true) {
    await pause(clock, holdupMs, signal)
    // A daemon that does not tell what it does is waited for.
    const commands = await requests.json<readonly RunningCommand[]>('diag/cmds', { signal, timeoutMs: holdupMs }).catch(() => [])
    const culprits = heldUpBy(commands, own, holdupMs)
    if (culprits.length > 0) throw new ClusterError('ERR_STALLED', `the IPFS daemon has not begun to collect: it waits for ${culprits.slice(0, namedMax).join(', ')}; end that, or try again when it has ended`)
  }
}

function heldUpBy (commands: readonly RunningCommand[], own: OwnWork, holdupMs: number): readonly string[] {
  const nowMs = Math.max(...commands.map(({ StartTime }) => Date.parse(StartTime))) // the question itself is the last of them
  return commands
    .map(({ StartTime, ...command }) => ({ ...command, forMs: nowMs - Date.parse(StartTime) }))
    .filter(({ Active, Command, Args, forMs }) => Active && waiting.has(Command) && forMs >= holdupMs && !isOwn(Command, Args ?? [], own))
    .map(({ Command, Args, forMs }) => `${[Command, ...Args ?? []].join(' ')} (for ${Math.round(forMs / 1_000)} s)`)
}

function isOwn (command: string, args: readonly string[], { pins, imports }: OwnWork): boolean {
  return command === 'dag/import' ? imports > 0 : args.some(arg => pins.has(arg))
}
