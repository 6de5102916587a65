import { quoteGo } from '../../cluster/api/kubo/go-text.ts'
import type { OptionsOf, OptionTable } from '../../cluster/api/kubo/request.ts'
import { hashByName, identityDigestBytesMax, isInsecureHash } from '../dag/hashes.ts'
import type { Hash } from '../dag/hashes.ts'
import type { ImportDefaults } from '../kubo-config.ts'
import { checkPinName } from '../pinning.ts'
import { KuboError } from '../rpc/kubo-error.ts'
import { createChunker } from '../unixfs/chunker.ts'
import type { Chunker } from '../unixfs/chunker.ts'
import type { DirectoryLayout } from '../unixfs/directory.ts'
import type { Mtime } from '../unixfs/data.ts'

export const addOptions = {
  recursive: { type: 'bool', aliases: ['r'] },
  'dereference-args': { type: 'bool' },
  'dereference-symlinks': { type: 'bool' },
  'stdin-name': { type: 'string' },
  hidden: { type: 'bool', aliases: ['H'] },
  ignore: { type: 'strings' },
  'ignore-rules-path': { type: 'string' },
  'empty-dirs': { type: 'bool', aliases: ['E'], fallback: true },
  quiet: { type: 'bool', aliases: ['q'] },
  quieter: { type: 'bool', aliases: ['Q'] },
  silent: { type: 'bool', fallback: false },
  progress: { type: 'bool', aliases: ['p'], fallback: false },
  'only-hash': { type: 'bool', aliases: ['n'], fallback: false },
  'wrap-with-directory': { type: 'bool', aliases: ['w'], fallback: false },
  pin: { type: 'bool', fallback: true },
  'pin-name': { type: 'string' },
  'to-files': { type: 'string' },
  'cid-version': { type: 'int' },
  hash: { type: 'string' },
  'raw-leaves': { type: 'bool' },
  chunker: { type: 'string', aliases: ['s'] },
  trickle: { type: 'bool', aliases: ['t'] },
  'max-file-links': { type: 'int' },
  'max-directory-links': { type: 'int' },
  'max-hamt-fanout': { type: 'int' },
  inline: { type: 'bool', fallback: false },
  'inline-limit': { type: 'int', fallback: 32 },
  nocopy: { type: 'bool', fallback: false },
  fscache: { type: 'bool' },
  'preserve-mode': { type: 'bool', fallback: false },
  'preserve-mtime': { type: 'bool', fallback: false },
  mode: { type: 'uint' },
  mtime: { type: 'int64' },
  'mtime-nsecs': { type: 'uint' },
  'fast-provide-root': { type: 'bool' },
  'fast-provide-dag': { type: 'bool' },
  'fast-provide-wait': { type: 'bool' }
} as const satisfies OptionTable

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
  if (options['inline-limit'] > identityDigestBytesMax && options.inline) throw new KuboError(`inline-limit ${options['inline-limit']} exceeds maximum allowed size of ${identityDigestBytesMax} bytes`)
  if (options['to-files'] !== undefined && options['only-hash']) throw new KuboError('only-hash and to-files options are not compatible')
  if (options['to-files'] !== undefined && options['wrap-with-directory']) throw new KuboError('wrap-with-directory and to-files options are not compatible')
  if (options['to-files'] !== undefined) throw new KuboError('the embedded daemon has no MFS to add files to: a real Kubo has')
  if (options.hash !== undefined && (hashByName(options.hash) === undefined || isInsecureHash(options.hash))) throw new KuboError(`unrecognized hash function: ${quoteGo(options.hash)}`)
  if (options['raw-leaves'] === true && hasMetadata(options)) throw new KuboError("raw-leaves can't be used with UnixFS metadata like mode or modification time")
}

function hasMetadata ({ mode, mtime, ...options }: AddOptions): boolean {
  return options['preserve-mode'] || options['preserve-mtime'] || (mode ?? 0) !== 0 || (mtime ?? 0n) !== 0n
}

/** What Kubo finds out when the first file is there. @throws KuboError in its words */
export function addSettings (options: AddOptions, defaults: ImportDefaults): AddSettings {
  if (options.nocopy) throw new KuboError('either the filestore or the urlstore must be enabled to use nocopy, see: https://github.com/ipfs/kubo/blob/master/docs/experimental-features.md#ipfs-filestore')
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
    directories: {
      linksMax: Math.max(0, options['max-directory-links'] ?? defaults.directoryLinksMax),
      fanout,
      shardSizeBytes: defaults.shardSizeBytes,
      shardEstimation: defaults.shardEstimation
    },
    inlineBytesMax: options.inline ? options['inline-limit'] : undefined,
    mode: options.mode === 0 ? undefined : options.mode,
    mtime: options.mtime === undefined ? undefined : { seconds: options.mtime, nanoseconds: options['mtime-nsecs'] ?? 0 },
    preserveMode: options['preserve-mode'],
    preserveMtime: options['preserve-mtime']
  }
}
