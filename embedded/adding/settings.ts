import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import type { addOptions } from '../../cluster/api/kubo/add-options.ts'
import type { OptionsOf } from '../../cluster/api/kubo/request.ts'
import { hashByName, identityDigestBytesMax, isInsecureHash } from '../dag/hashes.ts'
import type { Hash } from '../dag/hashes.ts'
import { directoryLayout } from '../kubo-config.ts'
import type { ImportDefaults } from '../kubo-config.ts'
import { checkPinName } from '../pinning.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { createChunker } from '../unixfs/chunker.ts'
import type { Chunker } from '../unixfs/chunker.ts'
import type { DirectoryLayout } from '../unixfs/directory.ts'
import type { Mtime } from '../unixfs/data.ts'

export type AddOptions = OptionsOf<typeof addOptions>

/** How one call wants its content laid out. */
export interface AddSettings {
  readonly cidVersion: 0 | 1
  readonly rawLeaves: boolean
  readonly hash: Hash
  /** Read when a file is there to be cut. @throws KuboError */
  readonly chunker: () => Chunker
  readonly layout: 'balanced' | 'trickle'
  readonly fileLinksMax: number
  readonly directories: DirectoryLayout
  readonly inlineBytesMax: number | undefined
  readonly mode: number | undefined
  readonly mtime: Mtime | undefined
  readonly preserveMode: boolean
  readonly preserveMtime: boolean
}

/** What Kubo refuses before it looks at the upload. @throws KuboError in its words, in its order */
export function checkAddOptions (options: AddOptions): void {
  const name = options['pin-name']
  if (options['mtime-nsecs'] !== undefined && options.mtime === undefined) throw new KuboError('option "mtime-nsecs" requires "mtime" to be provided as well')
  if (name !== undefined && name !== '' && !options.pin) throw new KuboError('pin-name option requires pin to be set')
  checkPinName(name ?? '')
  if (options['inline-limit'] > identityDigestBytesMax && options.inline === true) throw new KuboError(`inline-limit ${options['inline-limit']} exceeds maximum allowed size of ${identityDigestBytesMax} bytes`)
  if (options['to-files'] !== undefined && options['only-hash'] === true) throw new KuboError('only-hash and to-files options are not compatible')
  if (options['to-files'] !== undefined && options['wrap-with-directory'] === true) throw new KuboError('wrap-with-directory and to-files options are not compatible')
  if (options.hash !== undefined && (hashByName(options.hash) === undefined || isInsecureHash(options.hash))) throw new KuboError(`unrecognized hash function: ${quoteGo(options.hash)}`)
  if (options['raw-leaves'] === true && hasMetadata(options)) throw new KuboError("raw-leaves can't be used with UnixFS metadata like mode or modification time")
}

function hasMetadata ({ mode, mtime, ...options }: AddOptions): boolean {
  return options['preserve-mode'] === true || options['preserve-mtime'] === true || (mode ?? 0) !== 0 || (mtime ?? 0n) !== 0n
}

/** What Kubo finds out when the first file is there. @throws KuboError in its words */
export function addSettings (options: AddOptions, defaults: ImportDefaults): AddSettings {
  if (options.nocopy === true) throw new KuboError('either the filestore or the urlstore must be enabled to use nocopy, see: https://github.com/ipfs/kubo/blob/master/docs/experimental-features.md#ipfs-filestore')
  const hash = hashByName(options.hash ?? defaults.hash)!
  const asked = options['cid-version'] ?? (hash.name === 'sha2-256' ? defaults.cidVersion : 1)
  if (asked !== 0 && asked !== 1) throw new KuboError(`unknown CID version: ${asked}`)
  if (asked === 0 && hash.name !== 'sha2-256') throw new KuboError('CIDv0 only supports sha2-256')
  const fanout = options['max-hamt-fanout'] ?? defaults.fanout
  if (fanout < 8 || fanout > 1024 || !Number.isInteger(Math.log2(fanout))) throw new KuboError(`HAMT fanout must be a power of 2, between 8 and 1024 (got ${fanout})`)
  const isTrickle = options.trickle ?? defaults.layout === 'trickle'
  const rawByDefault = defaults.rawLeaves ?? asked === 1
  return {
    cidVersion: asked,
    rawLeaves: hasMetadata(options) ? false : options['raw-leaves'] ?? rawByDefault,
    hash,
    chunker: () => createChunker(options.chunker ?? defaults.chunker),
    layout: isTrickle ? 'trickle' : 'balanced',
    fileLinksMax: options['max-file-links'] ?? defaults.fileLinksMax,
    directories: { ...directoryLayout(defaults), linksMax: Math.max(0, options['max-directory-links'] ?? defaults.directoryLinksMax), fanout },
    inlineBytesMax: options.inline === true ? options['inline-limit'] : undefined,
    mode: options.mode === 0 ? undefined : options.mode,
    mtime: options.mtime === undefined ? undefined : { seconds: options.mtime, nanoseconds: options['mtime-nsecs'] ?? 0 },
    preserveMode: options['preserve-mode'] === true,
    preserveMtime: options['preserve-mtime'] === true
  }
}
