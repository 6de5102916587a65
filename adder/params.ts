import type { addOptions } from '../cluster/api/kubo/add-options.ts'
import type { OptionsOf } from '../cluster/api/kubo/request.ts'
import type { PinOptions } from '../cluster/api/pin.ts'
import type { PinWait } from '../cluster/ports.ts'
import type { DeliveryWishes } from './delivery.ts'
import type { DirectoryLayout } from './directories.ts'
import type { EntryMetadata } from './entries.ts'
import type { FileLayout, UnixfsMetadata } from './unixfs.ts'

export type AddOptions = Partial<OptionsOf<typeof addOptions>>

/** One add: what Kubo was asked for, and what the cluster is to do with the roots. */
export interface AddParams extends DeliveryWishes {
  readonly options: AddOptions
  /** What each root's pin gets besides; its name stands unless `pin-name` is among the options. */
  readonly pin?: PinOptions
  /** How long a root's line is held back. */
  readonly wait: PinWait
}

/** The `Import` section of the daemon's own configuration; only what differs from Kubo's defaults is in it. */
export type ImportSettings = Readonly<Record<string, unknown>>

/** What the importer needs to build as Kubo would. */
export interface ImporterLayout {
  readonly file: FileLayout
  readonly directory: DirectoryLayout & { readonly keepEmpty: boolean }
  /** What Kubo gives an entry whose own metadata is this. */
  metadataFor (own: EntryMetadata): UnixfsMetadata
}

const chunkBytesMax = 2_096_896
const noTime: EntryMetadata['mtime'] = undefined

/**
 * How the importer builds what Kubo would build, or `undefined` where that is not proven by `ipfs-compat-tests/cid-parity.test.ts`:
 * then the daemon does the add. Options it refuses are among those, so the words of the refusal are its own.
 *
 * The daemon's settings count as if they had been asked for, because some have no option at all.
 *
 * @see kubo `core/commands/add.go`, Run, whose order of precedence this is
 */
export function importerLayout (options: AddOptions, settings: ImportSettings): ImporterLayout | undefined {
  const cidVersion = options['cid-version'] ?? numberOf(settings['CidVersion']) ?? 0
  const chunkBytes = sizeOf(options.chunker || textOf(settings['UnixFSChunker']) || 'size-262144')
  const fileLinksMax = options['max-file-links'] ?? numberOf(settings['UnixFSFileMaxLinks']) ?? 174
  const hamtFanout = options['max-hamt-fanout'] ?? numberOf(settings['UnixFSHAMTDirectoryMaxFanout']) ?? 256
  const directoryLinksMax = options['max-directory-links'] ?? numberOf(settings['UnixFSDirectoryMaxLinks']) ?? 0
  const shardAboveBytes = bytesOf(settings['UnixFSHAMTDirectorySizeThreshold'])
  const sizeEstimation = textOf(settings['UnixFSHAMTDirectorySizeEstimation']) || 'links'
  const isStoringMetadata = options['preserve-mode'] === true || options['preserve-mtime'] === true || (options.mode ?? 0) !== 0 || (options.mtime ?? 0n) !== 0n
  const askedRawLeaves = options['raw-leaves'] ?? flagOf(settings['UnixFSRawLeaves'])
  if (isForDaemon(options, settings) || (isStoringMetadata && askedRawLeaves === true)) return undefined
  if ((cidVersion !== 0 && cidVersion !== 1) || chunkBytes === undefined || shardAboveBytes === undefined) return undefined
  if (fileLinksMax < 2 || fileLinksMax > 8_192 || directoryLinksMax > 0) return undefined
  if (!hamtFanouts.has(hamtFanout) || (sizeEstimation !== 'links' && sizeEstimation !== 'block')) return undefined
  return {
    file: { cidVersion, rawLeaves: !isStoringMetadata && (askedRawLeaves ?? cidVersion === 1), chunkBytes, fileLinksMax },
    directory: { cidVersion, shardAboveBytes, sizeEstimation, hamtFanout, keepEmpty: options['empty-dirs'] ?? true },
    metadataFor: own => storedMetadata(options, own)
  }
}

const hamtFanouts: ReadonlySet<number> = new Set([8, 16, 32, 64, 128, 256, 512, 1_024])

/** Options that only the daemon carries out as Kubo does. */
function isForDaemon (options: AddOptions, settings: ImportSettings): boolean {
  const hash = (options.hash || textOf(settings['HashFunction']) || 'sha2-256').toLowerCase()
  const layout = textOf(settings['UnixFSDAGLayout']) || 'balanced'
  const isTrickle = options.trickle ?? layout !== 'balanced'
  const hasBadTime = (options['mtime-nsecs'] ?? 0) !== 0 && (options.mtime ?? 0n) === 0n
  return hash !== 'sha2-256' || isTrickle || hasBadTime || options.inline === true || options.nocopy === true || options.fscache === true ||
    options['to-files'] !== undefined || options['only-hash'] === true ||
    (options['mtime-nsecs'] ?? 0) >= 1_000_000_000 || (options.mode ?? 0) > 0o777
}

/** An option for all entries wins over what each brought along, which only counts where it is to be preserved. */
function storedMetadata (options: AddOptions, own: EntryMetadata): UnixfsMetadata {
  const mode = (options.mode ?? 0) !== 0 ? options.mode! : options['preserve-mode'] === true ? own.mode : 0
  const asked = (options.mtime ?? 0n) === 0n ? noTime : { secs: options.mtime!, nsecs: options['mtime-nsecs'] ?? 0 }
  return { modeBits: unixPermissions(mode), mtime: asked ?? (options['preserve-mtime'] === true ? own.mtime : noTime) }
}

/** Go keeps setuid, setgid and sticky in high bits of its own. */
function unixPermissions (mode: number): number {
  return ((mode & 0xc00000) >>> 12) | ((mode & 0x100000) >>> 11) | (mode & 0o777)
}

function sizeOf (chunker: string): number | undefined {
  if (chunker === 'default') return 262_144
  const bytes = Number(/^size-([1-9]\d{0,6})$/.exec(chunker)?.[1])
  return bytes >= 1 && bytes <= chunkBytesMax ? bytes : undefined
}

/** Kubo's sizes are numbers, or texts like `256KiB`; what is spelt otherwise is left to the daemon. */
function bytesOf (setting: unknown): number | undefined {
  if (setting === undefined || setting === null) return 262_144
  const match = /^(\d+)(?:\s*(B|KiB|MiB))?$/.exec(String(setting))
  if (match === null) return undefined
  const bytes = Number(match[1]) * { B: 1, KiB: 1_024, MiB: 1_048_576 }[match[2] as 'B' | 'KiB' | 'MiB' ?? 'B']!
  return bytes > 0 ? bytes : undefined
}

const textOf = (setting: unknown): string => typeof setting === 'string' ? setting : ''
const numberOf = (setting: unknown): number | undefined => typeof setting === 'number' ? setting : undefined
/** Kubo's flags are true, false, or null for "as usual". */
const flagOf = (setting: unknown): boolean | undefined => typeof setting === 'boolean' ? setting : undefined
