import type { Readable } from 'node:stream'
import type { CID } from 'multiformats/cid'
import type { GoValue } from '../cluster/api/kubo/go-json.ts'
import type { ArgumentSpec, CommandShape, GlobalOptions, OptionTable, OptionsOf } from '../cluster/api/kubo/request.ts'

/**
 * A command of Kubo that the proxy runs itself. `server.ts` does everything around it, in Kubo's order: method, guard (asked of the
 * daemon), parsing, encodings, response headers, trailers, `timeout`; `run` is what is left.
 *
 * `run` answers through `call.reply` and returns when the answer is whole. What it throws becomes Kubo's error: a 500 with the
 * error as body while nothing has been sent, the trailer `X-Stream-Error` afterwards; a failure of the cluster's then breaks the answer
 * off instead. Returning without a word is an empty stream.
 */
export interface KuboCommand<T extends OptionTable = OptionTable, V extends GoValue = GoValue> extends CommandShape<T> {
  /** False for calls that the daemon should answer by itself, untouched (`add?only-hash=true`). Absent means all are ours. */
  isOurs? (options: OptionsOf<T> & GlobalOptions): boolean
  /** Changes nothing and waits for nobody: carried out also for a client that has closed its side and only listens. */
  readonly isRead?: boolean
  /** Its JSON has no CIDs that are strings, so `cid-base` is not even looked at. */
  readonly ignoresCidBase?: boolean
  /** Kubo's own text form of a value, for `encoding=text`; JSON needs none. Absent means Go's print of the struct, `printed`. */
  text? (value: V, options: OptionsOf<T> & GlobalOptions): string
  /**
   * What Go's `%s` makes of the value: `encoding=textnl`, `octet-stream`, and `text` where Kubo has no text form. Raw bytes, which
   * Go prints of a CID deep inside, are carried as `fromGoBytes` does.
   */
  printed (value: V): string
  /** What Go's `encoding/xml` makes of it. @throws Error where Go cannot (maps) */
  xml (value: V): string
  run (call: CommandCall<OptionsOf<T>, V>): Promise<void>
}

/** One call of a command, its request read and its caller let in by the daemon's own guard. */
export interface CommandCall<O = Readonly<Record<string, unknown>>, V extends GoValue = GoValue> {
  readonly options: O & GlobalOptions
  /** From the path, the query, then (for arguments that may come from stdin) the lines of the body. */
  readonly args: readonly string[]
  /**
   * Aborts when the client goes, when its `timeout` is over or when the proxy stops. After a timeout the reason is a
   * `DeadlineExceededError`, whose message is Go's `context deadline exceeded`.
   */
  readonly signal: AbortSignal
  /** The same without the `timeout`: for what is told `timeLeft` and will say itself, in its own words, when that is over. */
  readonly patience: AbortSignal
  /** What is left of the caller's `timeout`, as Go writes durations; `undefined` when there is none. */
  timeLeft (): string | undefined
  /** The request as it came: raw headers, raw query and, for a command that takes files, the body, unread. */
  readonly request: CommandRequest
  readonly reply: CommandReply<V>
  /** A CID as Kubo prints it in *strings*, with `cid-base` and `upgrade-cidv0-in-output`. CIDs as `{"/":…}` ignore those. */
  cidText (cid: CID): string
}

export interface CommandRequest {
  readonly path: string
  /** Without the `?`, one character a byte. */
  readonly rawQuery: string
  /** Names and values alternating, as node:http gives them. */
  readonly rawHeaders: readonly string[]
  readonly contentType: string
  readonly body: Readable
}

export interface CommandReply<V extends GoValue = GoValue> {
  /** Whether the head has gone out, so that an error can only be a trailer. */
  readonly started: boolean
  /** The only value of a single-value command (no `X-Chunked-Output`). */
  once (value: V): Promise<void>
  /** One value of several; waits while the client is slower than we are. */
  emit (value: V): Promise<void>
}

/** Erases the types of one command, so that differently typed ones stand in one table. */
export function kuboCommand<const T extends OptionTable, V extends GoValue> (command: KuboCommand<T, V>): KuboCommand {
  return command as unknown as KuboCommand
}

/** Spelled like go-ipfs-cmds: `argument('ipfs-path', 'required', 'variadic', 'stdin')`. */
export function argument (name: string, ...traits: readonly ('required' | 'variadic' | 'stdin')[]): ArgumentSpec {
  return { name, kind: 'string', required: traits.includes('required'), variadic: traits.includes('variadic'), stdin: traits.includes('stdin') }
}

export function fileArgument (name: string, ...traits: readonly ('required' | 'variadic' | 'stdin')[]): ArgumentSpec {
  return { ...argument(name, ...traits), kind: 'file' }
}

/** The reason a call was given up for when its `timeout` is over; the text is Go's, and clients look for it. */
export class DeadlineExceededError extends Error {
  constructor () {
    super('context deadline exceeded')
    this.name = new.target.name
  }
}
