import { open, readFile, rename } from 'node:fs/promises'
import { createBackground } from '../async/background.ts'
import { ClusterError } from '../api/errors.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AbortOptions, Component } from '../ports.ts'
import { dialable } from './address-book.ts'
import type { Host } from './host.ts'

export interface PeerstoreFileComponents {
  readonly host: Pick<Host, 'learn' | 'known' | 'watchKnown'>
  readonly clock: Clock
  readonly log: Logger
}

/** Addresses are learnt several at a time; those that come within it are written together. */
const writtenAfterMs = 1_000

/**
 * Keeps the addresses of the other peers over a restart, as the Go program does: a multiaddr a line, each with `/p2p/` and the id. To be
 * started before the host looks for anybody.
 */
export function createPeerstoreFile ({ host, clock, log }: PeerstoreFileComponents, path: string): Component {
  const working = createBackground(err => { log.warn('the peerstore file cannot be written', { path, error: err }) })
  let written = ''
  let turn: Promise<void> = Promise.resolve()
  let timer: Disposable | undefined
  let watch: Disposable | undefined

  function save (): Promise<void> {
    turn = turn.catch(() => {}).then(async () => {
      const lines = [...host.known().values()].flat().toSorted()
      const text = lines.map(line => `${line}\n`).join('')
      if (text === written) return
      await replaceFile(path, text)
      written = text
    })
    return turn
  }

  function saveSoon (): void {
    timer ??= clock.after(writtenAfterMs, () => {
      timer = undefined
      working.run(save())
    })
  }

  return {
    name: 'peerstore-file',
    async start ({ signal }: AbortOptions) {
      signal.throwIfAborted()
      const { addresses, text } = await readPeerstore(path)
      written = text
      for (const address of addresses) {
        const peer = dialable(address)?.peer
        if (peer === undefined) log.warn('a line of the peerstore file is no address of a peer', { path, line: address })
        else host.learn(peer, [address])
      }
      watch = host.watchKnown(saveSoon)
    },
    async [Symbol.asyncDispose] () {
      if (watch === undefined) return
      watch[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      working.run(save())
      await working[Symbol.asyncDispose]()
    }
  }
}

/** The lines that begin with `/`; others are comments. None when there is no such file. @throws ClusterError ERR_STORAGE */
async function readPeerstore (path: string): Promise<{ readonly addresses: readonly string[], readonly text: string }> {
  try {
    const text = await readFile(path, 'utf8')
    return { text, addresses: text.split('\n').map(line => line.trim()).filter(line => line.startsWith('/')) }
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return { addresses: [], text: '' }
    throw new ClusterError('ERR_STORAGE', `the peerstore file cannot be read: ${(err as Error).message}`, { cause: err })
  }
}

/** All or nothing, even when the power goes. */
async function replaceFile (path: string, text: string): Promise<void> {
  const beside = `${path}.new`
  {
    await using file = await open(beside, 'w', 0o600)
    await file.writeFile(text)
    await file.sync()
  }
  await rename(beside, path)
}
