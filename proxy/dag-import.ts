import { CID } from 'multiformats/cid'
import { unannouncedOf } from '../adder/announcing.ts'
import type { ImportOutput } from '../adder/output.ts'
import { cidTextFor } from '../cluster/api/kubo/cid-text.ts'
import { fromGoBytes } from '../cluster/api/kubo/go-text.ts'
import type { GlobalOptions } from '../cluster/api/kubo/request.ts'
import { defaultPinOptions } from '../cluster/api/pin.ts'
import type { PinWait } from '../cluster/ports.ts'
import { fileArgument, kuboCommand } from './command.ts'
import type { KuboCommand } from './command.ts'
import { escapeXml } from './encodings.ts'
import { fastProvideOptions, provideAsAsked } from './fast-provide.ts'
import { KuboCommandError } from './kubo-error.ts'
import type { CommandComponents } from './routes.ts'
import { uploadedFiles } from './upload.ts'

interface CarImportLine {
  readonly [key: string]: { readonly Cid: { readonly '/': string }, readonly PinErrorMsg: string } | { readonly BlockCount: number, readonly BlockBytesCount: number } | undefined
  readonly Root?: { readonly Cid: { readonly '/': string }, readonly PinErrorMsg: string } | undefined
  readonly Stats?: { readonly BlockCount: number, readonly BlockBytesCount: number } | undefined
}

const options = {
  'pin-roots': { type: 'bool' },
  'local-only': { type: 'bool' },
  silent: { type: 'bool' },
  stats: { type: 'bool' },
  'allow-big-block': { type: 'bool', fallback: false },
  ...fastProvideOptions
} as const

/** `dag/import`: the CARs' roots become pins of the cluster's, each standing for itself, once all CARs have been read and are good. */
export function dagImport (components: CommandComponents, { pinWait }: { readonly pinWait: PinWait }): KuboCommand {
  const { adder, clock } = components
  return kuboCommand({
    path: 'dag/import',
    args: [fileArgument('path', 'required', 'variadic', 'stdin')],
    options,
    ignoresCidBase: true,
    isOurs: options => options['pin-roots'] !== false && options['local-only'] !== true,
    text: textOf,
    printed: printedOf,
    xml: xmlOf,
    async run (call) {
      const { stats, 'allow-big-block': allowBigBlock } = call.options
      const params = { allowBigBlock, stats: stats === true, pin: defaultPinOptions, wait: pinWait, unannounced: unannouncedOf(call.options), signal: call.signal }
      const pinned: CID[] = []
      for await (const output of adder.importCars(uploadedFiles(call, clock, 'expected a file handle'), params)) {
        if (output.kind === 'root' && output.pinError === '') pinned.push(output.cid)
        await call.reply.emit(lineOf(output))
      }
      for (const root of pinned) await provideAsAsked(root, call, components)
    }
  })
}

function lineOf (output: ImportOutput): CarImportLine {
  if (output.kind === 'root') return { Root: { Cid: { '/': output.cid.toString() }, PinErrorMsg: output.pinError } }
  return { Stats: { BlockCount: output.blockCount, BlockBytesCount: output.blockBytes } }
}

function textOf ({ Root, Stats }: CarImportLine, { silent, ...options }: GlobalOptions & { readonly silent: boolean | undefined }): string {
  if (silent === true) return ''
  if (Stats !== undefined) return `Imported ${Stats.BlockCount} blocks (${Stats.BlockBytesCount} bytes)\n`
  const { Cid, PinErrorMsg } = Root!
  const cid = cidTextFor(options)(CID.parse(Cid['/']))
  if (PinErrorMsg !== '') throw new KuboCommandError(`pinning root "${cid}" FAILED: ${PinErrorMsg}`)
  return `Pinned root\t${cid}\tsuccess\n`
}

/** Go prints what a pointer inside points to without its methods: the CID as its bytes. */
function printedOf ({ Root, Stats }: CarImportLine): string {
  const root = Root === undefined ? '<nil>' : `&{{${fromGoBytes(CID.parse(Root.Cid['/']).bytes)}} ${Root.PinErrorMsg}}`
  const stats = Stats === undefined ? '<nil>' : `&{${Stats.BlockCount} ${Stats.BlockBytesCount}}`
  return `&{%!s(*dagcmd.RootMeta=${root}) %!s(*dagcmd.CarImportStats=${stats})}`
}

function xmlOf ({ Root, Stats }: CarImportLine): string {
  const root = Root === undefined ? '' : `<Root><Cid>${Root.Cid['/']}</Cid><PinErrorMsg>${escapeXml(Root.PinErrorMsg)}</PinErrorMsg></Root>`
  const stats = Stats === undefined ? '' : `<Stats><BlockCount>${Stats.BlockCount}</BlockCount><BlockBytesCount>${Stats.BlockBytesCount}</BlockBytesCount></Stats>`
  return `<CarImportOutput>${root}${stats}</CarImportOutput>`
}
