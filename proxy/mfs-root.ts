import { CID } from 'multiformats/cid'
import { splitTarget, unescapeGo } from '../cluster/api/kubo/query.ts'
import { abortable } from '../cluster/async/abortable.ts'
import { createBackground } from '../cluster/async/background.ts'
import { deadline } from '../cluster/async/deadline.ts'
import type { Clock } from '../cluster/clock.ts'
import type { Logger } from '../cluster/log.ts'
import type { AbortOptions, Component } from '../cluster/ports.ts'
import type { DaemonCalls } from './daemon-calls.ts'

/** How long nothing must have been written before the root is looked at, and how long that can be put off by writing on. */
const quietMs = 2_000
const unquietMsMax = 15_000
/** How often it is looked at anyway: others write to the daemon directly. */
const everyMs = 60_000
/** After a failure. */
const againMs = 10_000
const tryTimeoutMs = 120_000

export interface MfsRootComponents {
  readonly daemon: Pick<DaemonCalls, 'value'>
  /** Has the cluster pin this root in place of the one before; `undefined` while the files are empty. @returns whether it had to change anything */
  readonly follow: (root: CID | undefined, options: AbortOptions) => Promise<boolean>
  readonly clock: Clock
  readonly log: Logger
}

/** Keeps the root of the daemon's files (MFS) pinned by the cluster, a moment after it has changed. */
export interface MfsRoot extends Component {
  /** Something was written, or may have been. */
  written (): void
}

export function createMfsRoot ({ daemon, follow, clock, log }: MfsRootComponents): MfsRoot {
  const closing = new AbortController()
  const background = createBackground(error => { if (!closing.signal.aborted) log.error('the root of the files is not followed any more', { error }) })
  let firstMs: number | undefined
  let lastMs = 0
  let wake = (): void => {}

  function written (): void {
    lastMs = clock.now()
    if (firstMs === undefined) {
      firstMs = lastMs
      wake()
    }
  }

  /** Resolves when it is time to look: after what was written, or after `atMostMs`. */
  async function due (atMostMs: number): Promise<void> {
    const endMs = clock.now() + atMostMs
    while (true) {
      const atMs = firstMs === undefined ? endMs : Math.min(lastMs + quietMs, firstMs + unquietMsMax, endMs)
      const leftMs = atMs - clock.now()
      if (leftMs <= 0) break
      const { promise, resolve } = Promise.withResolvers<void>()
      using _timer = clock.after(leftMs, resolve)
      wake = resolve
      await abortable(promise, closing.signal)
    }
    firstMs = undefined
  }

  async function look (): Promise<void> {
    using limit = deadline(clock, tryTimeoutMs, 'following the root of the files', closing.signal)
    const root = await rootOf(daemon, limit)
    if (await follow(root, limit)) log.info('the cluster follows the root of the files', { root: root?.toString() ?? 'none' })
  }

  async function followForEver (): Promise<void> {
    let failures = 0
    written() // whatever happened while this peer was down
    while (true) {
      await due(failures === 1 ? againMs : everyMs)
      try {
        await look()
        failures = 0
      } catch (error) {
        closing.signal.throwIfAborted()
        failures++
        log[failures === 1 ? 'warn' : 'debug']('the root of the files could not be pinned, tried again later', { error })
      }
    }
  }

  return {
    name: 'mfs-root',
    written,
    async start ({ signal }) {
      signal.throwIfAborted()
      background.run(followForEver())
    },
    async [Symbol.asyncDispose] () {
      closing.abort(new Error('the peer is shutting down'))
      await background[Symbol.asyncDispose]()
    }
  }
}

/** `undefined` when there is nothing in the files: an empty directory is nobody's to lose. */
async function rootOf (daemon: Pick<DaemonCalls, 'value'>, { signal }: AbortOptions): Promise<CID | undefined> {
  const { Hash, Blocks } = await daemon.value('files/stat', { query: [['arg', '/']], signal }) as { Hash: string, Blocks: number }
  return Blocks === 0 ? undefined : CID.parse(Hash)
}

/** Whether a call may change the files: every command on them but those that only read, and an `add` into them. */
export function mayWriteFiles (target: string): boolean {
  const { path, query } = splitTarget(target)
  const command = unescapeGo(path, 'path')?.replace(/^\/api\/v0\//, '')
  if (command === undefined) return false
  if (command === 'add' || command === 'add/') return unescapeGo(query, 'query')?.includes('to-files') !== false
  return command.startsWith('files/') && !/^files\/(?:stat|ls|read)(?:\/|$)/.test(command)
}
